-- Appends events of one session to its tenant's log and publishes each on the tenant's channel, in the same order.
-- Once for each batch: the owner record keeps the number of the session's last batch and where it went, so a batch that
-- comes again, since its answer was lost, is answered from there and writes nothing.
--   KEYS[1]  owner record
--   KEYS[2]  head of the log
--   KEYS[3]  log
--   KEYS[4]  channel
--   KEYS[5]  credentials
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  session id
--   ARGV[4]  how many events the log keeps, about
--   ARGV[5]  number of the batch within the claim, or '' to append whatever came before
--   ARGV[6]  how many fields of the credentials the events use up
--   ARGV[7…] those fields, which are deleted; then event name, body, event name, body, …; a body is the text of a JSON
--            object with at least one field
-- Returns {log epoch, seq of the first event}; the others' follow it without gaps. Error FENCED.
-- Entry: id `<log epoch>-<seq>`, fields e = event name, s = session id, b = body with its eventId.
-- Message: `<event id> <event name> <session id> <body with its eventId>`.
-- @include fence
-- @include now

local batch = ARGV[5] ~= '' and ARGV[1] .. ':' .. ARGV[5]
if batch then
  local last = redis.call('HMGET', KEYS[1], 'batch', 'batchEpoch', 'batchSeq')
  if last[1] == batch then
    return { last[2], tonumber(last[3]) }
  end
end

local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  -- The log's first event, or its head was lost. The new epoch is past that of any entry still there.
  local start = now()
  local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
  if last then
    start = math.max(start, tonumber(string.match(last[1], '^%d+')) + 1)
  end
  epoch = string.format('%.0f', start)
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'seq', 0)
end

local used_up = tonumber(ARGV[6])
if used_up > 0 then
  redis.call('HDEL', KEYS[5], unpack(ARGV, 7, 6 + used_up))
end

local before = 6 + used_up
local count = (#ARGV - before) / 2
local first = redis.call('HINCRBY', KEYS[2], 'seq', count) - count + 1
for i = 0, count - 1 do
  local event, body = ARGV[before + 1 + 2 * i], ARGV[before + 2 + 2 * i]
  local id = epoch .. '-' .. string.format('%.0f', first + i)
  body = '{"eventId":"' .. id .. '",' .. string.sub(body, 2)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], id, 'e', event, 's', ARGV[3], 'b', body)
  redis.call('SPUBLISH', KEYS[4], id .. ' ' .. event .. ' ' .. ARGV[3] .. ' ' .. body)
end
if batch then
  redis.call('HSET', KEYS[1], 'batch', batch, 'batchEpoch', epoch, 'batchSeq', first)
end
return { epoch, first }
