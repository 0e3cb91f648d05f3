-- Stores a worker's heartbeat with the time of Redis, if the worker has its lease.
--   KEYS[1]  lease
--   KEYS[2]  heartbeats
--   KEYS[3]  pulse
--   ARGV[1]  worker
--   ARGV[2]  heartbeat: the text of a JSON object with at least one field
-- Returns 1, or 0 if the lease has expired.
-- @include workers/pulse
pulse(KEYS[3])
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
forget_unreadable(KEYS[2], 'hash')
local beat = '{"at":' .. string.format('%.0f', now()) .. ',' .. string.sub(ARGV[2], 2)
redis.call('HSET', KEYS[2], ARGV[1], beat)
return 1
