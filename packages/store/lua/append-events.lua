-- Appends events of one session to its tenant's log and publishes each on the tenant's channel, in the same order.
-- Once for each batch: the owner record keeps the number of the session's last batch and where it went, so a batch that
-- comes again, since its answer was lost, is answered from there and writes nothing.
-- No position is given out twice: the head notes on which life of the server its epoch was begun, and another life,
-- which may have lost the end of the log, begins another epoch.
--   KEYS[1]  owner record
--   KEYS[2]  head of the log
--   KEYS[3]  log
--   KEYS[4]  marks of the log's age
--   KEYS[5]  channel
--   KEYS[6]  credentials
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  session id
--   ARGV[4]  how many events the log keeps, about
--   ARGV[5]  how long it keeps them, about, in ms
--   ARGV[6]  number of the batch within the claim, or '' to append whatever came before
--   ARGV[7]  within how many ms of the last one a writer asks for another look
--   ARGV[8]  '1' for a look at the server's life and the log's age, else '': both change slowly, and looks are dear
--   ARGV[9]  how many fields of the credentials the events use up
--   ARGV[10…] those fields, which are deleted; then event name, body, event name, body, …; a body is the text of a JSON
--            object with at least one field, without its first brace
-- Returns {log epoch, seq of the first event}; the others' follow it without gaps. Error FENCED.
-- Message: `<event id> <event name> <session id> <body with its eventId>`.
-- Entry: id `<log epoch>-<seq>`, field m = the message; the first one of an epoch also p = position of the last event
-- before, `0-0` if there was none.
-- Mark: `<ms> <position>`, of the event that was the last one then.
-- Batch in the owner record: `<epoch of the claim>:<number> <position of the first event>`.
-- @include fence
-- @include now
-- @include server-life
-- @include last-entry-id

-- Trimming by length costs as much as appending, so it is done once for so many events.
local TRIM_EVERY = 64
-- The age is known to this part of it.
local MARKS = 32

local batch = ARGV[6] ~= '' and ARGV[1] .. ':' .. ARGV[6] .. ' '
if batch and owner[3] and string.sub(owner[3], 1, #batch) == batch then
  local epoch, seq = string.match(owner[3], '(%d+)-(%d+)$')
  return { epoch, tonumber(seq) }
end

local before = 9 + tonumber(ARGV[9])
if before > 9 then
  redis.call('HDEL', KEYS[6], unpack(ARGV, 10, before))
end
local count = (#ARGV - before) / 2
if count == 0 then
  return { '0', 0 }
end

local head = redis.call('HMGET', KEYS[2], 'epoch', 'seq', 'run')
local epoch, last = head[1], tonumber(head[2])
local must_look = ARGV[8] == '1'
local life = server_life(must_look)
local changes = {}
local time, previous
if not epoch or tonumber(head[3]) ~= life then
  if not epoch then
    -- The log's first event, or its head was lost.
    epoch, last = last_entry_id(KEYS[3])
  end
  time = now()
  previous = string.format('%s-%.0f', epoch, last)
  epoch, last = string.format('%.0f', math.max(time, epoch + 1)), 0
  changes = { 'epoch', epoch, 'run', life }
end

local first = last + 1
local from = ' ' .. ARGV[3] .. ' {"eventId":"'
for i = before + 1, #ARGV, 2 do
  last = last + 1
  local id = epoch .. '-' .. string.format('%.0f', last)
  local message = id .. ' ' .. ARGV[i] .. from .. id .. '",' .. ARGV[i + 1]
  if previous then
    redis.call('XADD', KEYS[3], id, 'm', message, 'p', previous)
    previous = nil
  else
    redis.call('XADD', KEYS[3], id, 'm', message)
  end
  redis.call('SPUBLISH', KEYS[5], message)
end
if last % TRIM_EVERY < count then
  redis.call('XTRIM', KEYS[3], 'MAXLEN', '~', ARGV[4])
end

local max_age, mark_at = tonumber(ARGV[5]), nil
if must_look or time then
  time = time or now()
  mark_at = tonumber(redis.call('HGET', KEYS[2], 'markAt') or 0)
end
-- A mark further away than it can be was set before the clock was put back, or for a longer age.
if mark_at and (time >= mark_at or mark_at - time > max_age) then
  local every = math.ceil(max_age / MARKS)
  local too_old
  repeat
    local at, mark_epoch, mark_seq =
      string.match(redis.call('LINDEX', KEYS[4], 0) or '', '^(%d+) (%d+)-(%d+)$')
    local is_old = at and time - at >= max_age
    if is_old then
      too_old = string.format('%s-%.0f', mark_epoch, mark_seq + 1)
      redis.call('LPOP', KEYS[4])
    end
  until not is_old
  if too_old then
    redis.call('XTRIM', KEYS[3], 'MINID', '=', too_old)
  end
  redis.call('RPUSH', KEYS[4], string.format('%.0f %s-%.0f', time, epoch, last))
  -- A tenant that falls silent appends nothing that would trim. What comes until the next mark lives as long.
  local life_ms = max_age + every + ARGV[7]
  redis.call('PEXPIRE', KEYS[3], life_ms)
  redis.call('PEXPIRE', KEYS[4], life_ms)
  changes[#changes + 1] = 'markAt'
  changes[#changes + 1] = time + every
end

redis.call('HSET', KEYS[2], 'seq', last, unpack(changes))
if batch then
  redis.call('HSET', KEYS[1], 'batch', batch .. epoch .. '-' .. string.format('%.0f', first))
end
return { epoch, first }
