-- Defines write_entries(key, first, count): writes entries of a session's lists of chats and contacts.
--   key      the number of the first of five keys: chats, their order, contacts, their order, notes
--   first    the number of the first argument of the first entry
--   count    how many entries there are, of three arguments each:
--            `c` or `p` for a chat or a contact (a person), then its id
--            the sealed entry, or '' to delete it
--            of a chat: when something last happened in it, seconds since 1970, or '' if it keeps its place; of a
--            contact: '1' if it is saved on the phone, else '0'
-- A place in an order is a number that no other entry has. Places in the order of chats: the second, then the number of
-- the write within it. Places of contacts: the number of the write, above SAVED for contacts that are saved.
-- The last place of a full list is dropped for a new entry, and the notes say so. A contact that is not saved is thus
-- dropped before one that is. Include redis/call-replacing before.
local MOST_CHATS = 10000
local MOST_CONTACTS = 20000
local SAVED = 1e15
-- Numbers of writes within a second. A place has 53 bits: seconds take 32 of them.
local PER_SECOND = 2 ^ 20

local function write_entries(key, first, count)
  local notes = KEYS[key + 4]
  local last = redis.pcall('HINCRBY', notes, 'seq', count)
  if type(last) ~= 'number' then
    -- The notes are damaged.
    redis.call('DEL', notes)
    last = redis.call('HINCRBY', notes, 'seq', count)
  end
  local new_chats, new_contacts = 0, 0
  for index = 0, count - 1 do
    local at = first + 3 * index
    local is_chat = string.sub(ARGV[at], 1, 1) == 'c'
    local id, sealed, order = string.sub(ARGV[at], 2), ARGV[at + 1], ARGV[at + 2]
    local entries = KEYS[is_chat and key or key + 2]
    local places = KEYS[is_chat and key + 1 or key + 3]
    local seq = last - count + 1 + index
    if sealed == '' then
      call_replacing('HDEL', entries, id)
      call_replacing('ZREM', places, id)
    else
      call_replacing('HSET', entries, id, sealed)
      if is_chat then
        if order ~= '' or not call_replacing('ZSCORE', places, id) then
          local place = (tonumber(order) or 0) * PER_SECOND + seq % PER_SECOND
          new_chats = new_chats + call_replacing('ZADD', places, string.format('%.0f', place), id)
        end
      else
        local place = call_replacing('ZSCORE', places, id)
        if not place or (tonumber(place) >= SAVED) ~= (order == '1') then
          place = (order == '1' and SAVED or 0) + seq
          new_contacts = new_contacts + call_replacing('ZADD', places, string.format('%.0f', place), id)
        end
      end
    end
  end
  local function drop(entries, places, most, note)
    local over = redis.call('ZCARD', places) - most
    if over > 0 then
      local dropped = redis.call('ZPOPMIN', places, over)
      for index = 1, #dropped, 2 do
        redis.call('HDEL', entries, dropped[index])
      end
      redis.call('HSET', notes, note, '1')
    end
  end
  if new_chats > 0 then
    drop(KEYS[key], KEYS[key + 1], MOST_CHATS, 'chatsDropped')
  end
  if new_contacts > 0 then
    drop(KEYS[key + 2], KEYS[key + 3], MOST_CONTACTS, 'contactsDropped')
  end
end
