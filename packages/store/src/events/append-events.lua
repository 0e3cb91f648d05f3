-- Appends events of one session to its tenant's log and publishes each on the tenant's channel, in the same order.
-- Appends each batch once: the owner record keeps the number and position of the session's last batch. If that batch
-- arrives again, because its answer was lost, the script answers from the record and writes nothing.
-- Gives no position twice: the head notes the life of the server in which its epoch began. Another life, which may have
-- lost the end of the log, begins another epoch. If a writer knows another life than the head's, the script reads the
-- server's own, so a wrong one never begins an epoch.
-- One call trims a bounded number of entries, so that it does not block Redis for long. The head notes what remains to
-- be trimmed.
--   KEYS[1]  owner record
--   KEYS[2]  head of the log
--   KEYS[3]  log
--   KEYS[4]  channel
--   KEYS[5]  credentials; this and the next keys may be omitted if no argument needs them
--   KEYS[6]  digests of the finished messages
--   KEYS[7]  those of earlier ones
--   KEYS[8]  secrets of messages
--   KEYS[9]  those of earlier ones
--   KEYS[10] marks of the log's age
--   KEYS[11] marks of the log's bytes
--   KEYS[12] parts of histories that are in the log
--   KEYS[13] limits of the tenant
--   KEYS[14] list of chats
--   KEYS[15] their order
--   KEYS[16] list of contacts
--   KEYS[17] their order
--   KEYS[18] what is noted of both lists
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  session id
--   ARGV[4]  number of the batch within the claim, or '' to append regardless of earlier batches
--   ARGV[5]  approximate number of events that the log keeps
--   ARGV[6]  the server's life as the writer has learned it over the same connection (server-life.ts), or '' to read it
--   ARGV[7]  '' or, to check the log's bounds and with parts of histories,
--            `<age> <bytes> <most> <most of histories> <parts>`:
--            age: approximate time that the log keeps events, ms, to check its age; else ''. A writer checks at least
--            twice in 1/32 of that time
--            bytes: bytes of live events that the writer appended since it last counted them, including these events; 0
--            not to count
--            most, most of histories: approximate bytes of live events and of parts of histories that the log keeps if
--            the tenant has no limits of its own
--            parts: for each event '1' if it is part of a history, else '0'; '' if none is
--   ARGV[8]  '' or `<fields> <secrets> <entries>`: how many fields of the credentials the events use up, how many secrets
--            of messages are kept with them, and how many entries of the lists they change
--   ARGV[9]  digests of the messages that the events finish, one after the other, or ''
--   ARGV[10…] those fields, which are deleted; then message id, sealed secret, message id, …; then the entries, three
--            arguments each (lists/write-entries); then event name, body, event name, body, …; a body is the text of a
--            JSON object with at least one field, without its first brace
-- There are few arguments, and rare ones are combined, since each argument adds to the cost of every append.
-- Returns the position of the first event, or `0-0` without events. The other events follow it without gaps. If the
-- server's life was read for them, returns `<position> <life>`. Error FENCED.
-- Message: `<event id> <event name> <session id> <body with its eventId>`.
-- Entry: id `<log epoch>-<seq>`, field m = the message. The first entry of an epoch also has p = position of the last
-- event before it, `0-0` if there was none.
-- Mark: `<ms> <position>`: the position of the last event at that time.
-- Mark of bytes: `<bytes> <position>`: how many bytes of live events writers had counted up to and with that event.
-- Part of a history: `<position> <bytes>`. The oldest parts are deleted if they have too many bytes or there are too
-- many of them. Live events are never deleted to make room for them. Readers report deleted parts to clients
-- (read-events).
-- Batch in the owner record: `<epoch of the claim>:<number> <position of the first event>`.
-- @include sessions/fence
-- @include redis/now
-- @include events/server-life
-- @include events/last-entry-id
-- @include redis/call-replacing
-- @include tenants/limit-of
-- @include lists/write-entries

-- Trimming by length costs as much as appending, so it is done once for this number of events.
local TRIM_EVERY = 64
-- One call deletes about this number of entries that are too old.
local TRIM_AT_ONCE = 2000
-- The precision of the bounds by age and by bytes: 1/MARKS of the bound.
local MARKS = 32
-- One call deletes at most this number of parts of histories.
local DELETE_AT_ONCE = 1000
local ONE = string.byte('1')
-- How long a finished message is known, ms, unless more than MOST_KNOWN bytes of digests were added after its own.
local KNOWN_FOR = 24 * 60 * 60 * 1000
local MOST_KNOWN = 80000
-- Bytes of a digest.
local DIGEST = 8
-- The least time that a secret is kept, ms, and at most twice this time, unless MOST_SECRETS were added after it.
local SECRETS_FOR = 7 * 24 * 60 * 60 * 1000
local MOST_SECRETS = 10000

local batch = ARGV[4] ~= '' and ARGV[1] .. ':' .. ARGV[4] .. ' '
if batch and owner[3] and string.sub(owner[3], 1, #batch) == batch then
  return string.sub(owner[3], #batch + 1)
end

local fields, before, secrets, entries = 0, 9, 0, 0
if ARGV[8] ~= '' then
  local deleted, kept_with, changed = string.match(ARGV[8], '^(%d+) (%d+) (%d+)$')
  fields, entries = tonumber(deleted), tonumber(changed)
  before, secrets = 9 + fields, tonumber(kept_with)
end
if secrets > 0 then
  -- Rotates the two keys like those of the digests. Senders choose ids: the first message of an id keeps its
  -- secret.
  local left = redis.call('PTTL', KEYS[8])
  if left >= 0 and left < SECRETS_FOR then
    redis.call('RENAME', KEYS[8], KEYS[9])
    left = -2
  end
  local secrets_end = before + 2 * secrets
  local kept = 0
  for i = before + 1, secrets_end, 2 do
    if call_replacing('HEXISTS', KEYS[9], ARGV[i]) == 0 then
      kept = kept + call_replacing('HSETNX', KEYS[8], ARGV[i], ARGV[i + 1])
    end
  end
  before = secrets_end
  if kept > 0 and left < 0 then
    redis.call('PEXPIRE', KEYS[8], 2 * SECRETS_FOR)
  end
  if kept > 0 and redis.call('HLEN', KEYS[8]) >= MOST_SECRETS then
    redis.call('RENAME', KEYS[8], KEYS[9])
  end
end
local first_entry = before + 1
before = before + 3 * entries
-- Deletes the fields of the messages, notes their digests and writes the entries of the lists. Call it when their events
-- are in the log: Redis undoes nothing of a script that ends with an error, and a message that is in neither place is
-- lost.
local function finish_messages()
  if fields > 0 then
    redis.call('HDEL', KEYS[5], unpack(ARGV, 10, 9 + fields))
  end
  if ARGV[9] ~= '' then
    -- A string keeps its expiry when it becomes the earlier one, so nothing is added to a string that expires too soon.
    local left = redis.call('PTTL', KEYS[6])
    if left >= 0 and left < KNOWN_FOR then
      redis.call('RENAME', KEYS[6], KEYS[7])
    end
    local length = call_replacing('APPEND', KEYS[6], ARGV[9])
    if length % DIGEST ~= 0 then
      -- The string is damaged. A digest that does not begin at a multiple of DIGEST would not be found.
      redis.call('SET', KEYS[6], ARGV[9])
      length = #ARGV[9]
    end
    if length == #ARGV[9] then
      redis.call('PEXPIRE', KEYS[6], 2 * KNOWN_FOR)
    elseif length >= MOST_KNOWN then
      redis.call('RENAME', KEYS[6], KEYS[7])
    end
  end
  if entries > 0 then
    write_entries(14, first_entry, entries)
  end
end
local count = (#ARGV - before) / 2
if count == 0 then
  finish_messages()
  return '0-0'
end

-- Fields that only checks and parts of histories need are read there, since each further field slows every append.
local head = redis.pcall('HMGET', KEYS[2], 'epoch', 'seq', 'life', 'trimTo')
if head.err then
  -- A head of another type counts as lost.
  redis.call('DEL', KEYS[2])
  head = {}
end
local epoch, last, trim_to = head[1], tonumber(head[2]), head[4]
local changes, previous, life
local function begin_epoch()
  previous = string.format('%s-%.0f', epoch, last)
  epoch, last = string.format('%.0f', math.max(now(), epoch + 1)), 0
  life = life or server_life()
  changes = { 'epoch', epoch, 'life', life }
end
if ARGV[6] == '' or head[3] ~= ARGV[6] then
  life = server_life()
end
local has_head = tonumber(epoch) and last
if not has_head or (life and head[3] ~= life) then
  if not has_head then
    -- This is the log's first event, or the head was lost or damaged.
    epoch, last = last_entry_id(KEYS[3])
  end
  begin_epoch()
end

local from = ' ' .. ARGV[3] .. ' {"eventId":"'
local max_age, counted, most_bytes, most_history, marks
if ARGV[7] ~= '' then
  max_age, counted, most_bytes, most_history, marks =
    string.match(ARGV[7], '^(%d*) (%d+) (%d+) (%d+) (%d*)$')
  max_age = tonumber(max_age)
end
local has_parts = marks and marks ~= ''
local history, parts = 0, nil
local first, seq
local is_begun_anew = false
for i = before + 1, #ARGV, 2 do
  local id, message, added
  repeat
    last = last + 1
    -- Exact up to 14 digits, and cheaper than string.format.
    seq = tostring(last)
    id = epoch .. '-' .. seq
    message = id .. ' ' .. ARGV[i] .. from .. id .. '",' .. ARGV[i + 1]
    if previous then
      added = redis.pcall('XADD', KEYS[3], id, 'm', message, 'p', previous)
    else
      added = redis.pcall('XADD', KEYS[3], id, 'm', message)
    end
    local is_refused = type(added) == 'table'
    if is_refused then
      if first or is_begun_anew then
        return added
      end
      -- The head is behind the entries, or names a position that no entry can have.
      is_begun_anew = true
      epoch, last = last_entry_id(KEYS[3])
      begin_epoch()
    end
  until not is_refused
  previous = nil
  redis.call('SPUBLISH', KEYS[4], message)
  first = first or id
  if has_parts and string.byte(marks, (i - before + 1) / 2) == ONE then
    parts = parts or {}
    parts[#parts + 1] = id .. ' ' .. #message
    history = history + #message
  end
end

-- Written before the log is trimmed to its bounds. If damaged data stops the trimming, the events keep their positions
-- and the same batch is not appended again.
if changes then
  redis.call('HSET', KEYS[2], 'seq', seq, unpack(changes))
  changes = nil
else
  redis.call('HSET', KEYS[2], 'seq', seq)
end
if batch then
  redis.call('HSET', KEYS[1], 'batch', batch .. first)
end
finish_messages()

if parts then
  local most = tonumber(ARGV[5])
  local limit = limit_of(KEYS[13], 'historyBytes', most_history)
  local kept = redis.call('RPUSH', KEYS[12], unpack(parts))
  -- The list of parts may have expired together with the log.
  if kept > #parts then
    history = history + tonumber(redis.call('HGET', KEYS[2], 'history') or 0)
  end
  local deleted = {}
  while kept > 1 and (history > limit or kept > most) and #deleted < DELETE_AT_ONCE do
    local id, size = string.match(redis.call('LPOP', KEYS[12]), '^(%S+) (%d+)$')
    -- The first entry of an epoch names the position before it, which readers need.
    if string.match(id, '-1$') == nil then
      deleted[#deleted + 1] = id
    end
    history = history - size
    kept = kept - 1
  end
  if #deleted > 0 then
    redis.call('XDEL', KEYS[3], unpack(deleted))
  end
  changes = changes or {}
  changes[#changes + 1] = 'history'
  changes[#changes + 1] = string.format('%.0f', history)
  changes[#changes + 1] = 'parts'
  changes[#changes + 1] = kept
end
if last % TRIM_EVERY < count then
  redis.call('XTRIM', KEYS[3], 'MAXLEN', '~', ARGV[5] + (redis.call('HGET', KEYS[2], 'parts') or 0))
end

local bytes_before
if counted and counted ~= '0' then
  local found = redis.call('HMGET', KEYS[2], 'bytes', 'bytesMarkAt')
  local bytes = tonumber(found[1] or 0) + counted
  changes = changes or {}
  changes[#changes + 1] = 'bytes'
  changes[#changes + 1] = string.format('%.0f', bytes)
  if bytes >= tonumber(found[2] or 0) then
    local limit = limit_of(KEYS[13], 'logBytes', most_bytes)
    repeat
      local at, mark_epoch, mark_seq =
        string.match(redis.call('LINDEX', KEYS[11], 0) or '', '^(%d+) (%d+)-(%d+)$')
      local is_over = at and bytes - at >= limit
      if is_over then
        bytes_before = string.format('%s-%.0f', mark_epoch, mark_seq + 1)
        redis.call('LPOP', KEYS[11])
      end
    until not is_over
    redis.call('RPUSH', KEYS[11], string.format('%.0f %s-%s', bytes, epoch, seq))
    changes[#changes + 1] = 'bytesMarkAt'
    changes[#changes + 1] = string.format('%.0f', bytes + limit / MARKS)
  end
end

local too_old
if max_age then
  local time = now()
  local every = math.ceil(max_age / MARKS)
  local mark_at = tonumber(redis.call('HGET', KEYS[2], 'markAt') or 0)
  -- A due time that is too far away was set before the clock was set back, or for a longer age.
  if time >= mark_at or mark_at - time > max_age then
    repeat
      local at, mark_epoch, mark_seq =
        string.match(redis.call('LINDEX', KEYS[10], 0) or '', '^(%d+) (%d+)-(%d+)$')
      local is_old = at and time - at >= max_age
      if is_old then
        too_old = string.format('%s-%.0f', mark_epoch, mark_seq + 1)
        redis.call('LPOP', KEYS[10])
      end
    until not is_old
    redis.call('RPUSH', KEYS[10], string.format('%.0f %s-%s', time, epoch, seq))
    -- If a tenant stops appending, nothing trims its log, so the keys expire. Events appended before the next mark are
    -- kept for their whole age.
    for _, key in ipairs({ KEYS[3], KEYS[10], KEYS[11], KEYS[12] }) do
      redis.call('PEXPIRE', key, max_age + 2 * every)
    end
    changes = changes or {}
    changes[#changes + 1] = 'markAt'
    changes[#changes + 1] = time + math.floor(every / 2)
    if not parts then
      -- The parts may have expired since they were counted.
      changes[#changes + 1] = 'parts'
      changes[#changes + 1] = redis.call('LLEN', KEYS[12])
    end
  end
end

local trim_now = trim_to
if too_old or bytes_before then
  -- Returns the later of two positions; each may be nil.
  local function later(a, b)
    if not a or not b then
      return a or b
    end
    local a_epoch, a_seq = string.match(a, '^(%d+)-(%d+)$')
    local b_epoch, b_seq = string.match(b, '^(%d+)-(%d+)$')
    if a_epoch == b_epoch then
      return tonumber(a_seq) < tonumber(b_seq) and b or a
    end
    return tonumber(a_epoch) < tonumber(b_epoch) and b or a
  end
  trim_now = later(later(too_old, bytes_before), trim_to)
end
if trim_now then
  -- This deletes whole nodes of the stream, of up to a hundred entries each. If it deletes nothing, the rest is in one
  -- node.
  if redis.call('XTRIM', KEYS[3], 'MINID', '~', trim_now, 'LIMIT', TRIM_AT_ONCE) == 0 then
    redis.call('XTRIM', KEYS[3], 'MINID', '=', trim_now)
    if trim_to then
      redis.call('HDEL', KEYS[2], 'trimTo')
    end
  elseif trim_now ~= trim_to then
    changes = changes or {}
    changes[#changes + 1] = 'trimTo'
    changes[#changes + 1] = trim_now
  end
end

if changes then
  redis.call('HSET', KEYS[2], unpack(changes))
end
return life and first .. ' ' .. life or first
