-- Keeps a message for 7 to 8 days. Each day has a bucket, which expires before it is used again.
--   KEYS[1]  owner record
--   KEYS[2…] the buckets of the session
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  field: the message's key
--   ARGV[4]  sealed message
--   ARGV[5]  maximum number of messages in a bucket
-- Returns 1, or 0 if there is no room for it. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include redis/call-replacing
local DAY = 24 * 60 * 60 * 1000
local buckets = #KEYS - 1
local today = math.floor(now() / DAY)
local bucket = KEYS[2 + today % buckets]
if call_replacing('HLEN', bucket) >= tonumber(ARGV[5]) then
  return 0
end
redis.call('HSET', bucket, ARGV[3], ARGV[4])
return redis.call('PEXPIREAT', bucket, string.format('%.0f', (today + buckets) * DAY))
