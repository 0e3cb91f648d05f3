-- Reads a tenant's log after a position, and reports whether the log still has every event after it.
--   KEYS[1]   head of the log
--   KEYS[2]   log
--   ARGV[1]   epoch of the position, or '' for one that no log can have given
--   ARGV[2]   its seq
--   ARGV[3]   maximum number of entries, or 0 for none
--   ARGV[4]   bytes of messages to read: once this number is reached, no further entry is read
--   ARGV[5…]  names of events; messages of other events are left out. Without names all are returned
-- Returns {position of the log's last event, `0-0` if there was none; 1 if nothing is missing, else 0; position of the
-- first entry, or `0-0`; position of the last entry that was read, or `0-0`; number of bytes read; messages of the
-- entries}. Messages have the form described in append-events. The second value covers the log up to the first entry,
-- or up to the log's last event if there is no entry. The entries end before the first one that does not directly
-- follow its predecessor: parts of histories are deleted from the middle of the log. The next call reports that gap.
-- @include events/server-life
-- @include events/last-entry-id

local function split(position)
  return string.match(position, '^(%d+)-(%d+)$')
end

local head = redis.pcall('HMGET', KEYS[1], 'epoch', 'seq', 'life')
if not (tonumber(head[1]) and tonumber(head[2])) then
  head[1], head[2] = last_entry_id(KEYS[2])
end

local epoch, seq, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local after = epoch .. '-' .. ARGV[2]
-- The first entry is read even if `count` is 0, since it shows whether something is missing.
local start = epoch == '' and '-' or '(' .. after
local entries = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', 1)

-- Whether an entry directly follows a position: true, false, or nil if the entry does not show it. The first entry of
-- an epoch is never deleted alone, and names the position before it. A reader may be past that position, if a failover
-- lost events that the reader had seen.
local function follows(entry, before_epoch, before_seq)
  local entry_epoch, entry_seq = split(entry[1])
  if entry_epoch == before_epoch then
    return tonumber(entry_seq) == before_seq + 1
  end
  if entry_seq ~= '1' then
    return false
  end
  local fields = entry[2]
  if fields[3] == 'p' then
    local named_epoch, named_seq = split(fields[4])
    if named_epoch == before_epoch then
      return before_seq >= tonumber(named_seq)
    end
  end
  return nil
end

local function is_continuous()
  if epoch == '' then
    return false
  end
  local first = entries[1]
  if first then
    local is_next = follows(first, epoch, seq)
    if is_next ~= nil then
      return is_next
    end
    return #redis.call('XRANGE', KEYS[2], after, after) == 1
  end
  if epoch ~= head[1] then
    return false
  end
  local last = tonumber(head[2])
  -- The position is past the head of an epoch that ended with an earlier life of the server. The next event begins
  -- another epoch, after the head.
  return seq == last or (seq > last and head[3] and server_life() ~= head[3])
end

local is_complete = is_continuous() and 1 or 0
local first = entries[1] and entries[1][1] or '0-0'

local wanted
if #ARGV > 4 then
  wanted = {}
  for i = 5, #ARGV do
    wanted[ARGV[i]] = true
  end
end

-- Entries are read in steps, since their sizes are not known in advance.
local most = tonumber(ARGV[4])
local last, bytes, looked_at, step, messages = '0-0', 0, 0, 1, {}
local last_epoch, last_seq
local is_gap = false
while #entries > 0 and looked_at < count and bytes < most and not is_gap do
  for i = 1, #entries do
    if last_epoch and follows(entries[i], last_epoch, last_seq) == false then
      is_gap = true
      break
    end
    local message = entries[i][2][2]
    last = entries[i][1]
    last_epoch, last_seq = split(last)
    last_seq = tonumber(last_seq)
    bytes = bytes + #message
    if not wanted or wanted[string.match(message, '^%S+ (%S+)')] then
      messages[#messages + 1] = message
    end
    if bytes >= most then
      break
    end
  end
  looked_at = looked_at + #entries
  -- If so, the log has no further entries, and another read would find none.
  local is_end = #entries < step
  local mean = math.max(bytes / looked_at, 1)
  step = math.min(4 * step, math.ceil((most - bytes) / mean), count - looked_at, 256)
  entries = step > 0 and not is_end and redis.call('XRANGE', KEYS[2], '(' .. last, '+', 'COUNT', step) or {}
end
return { head[1] .. '-' .. head[2], is_complete, first, last, bytes, messages }
