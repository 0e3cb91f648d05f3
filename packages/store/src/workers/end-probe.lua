-- Lets another probe through after one that ended without a verdict, such as one whose connection broke.
--   KEYS[1]  breaker
--   ARGV[1]  how long until then, ms
-- Returns 1, or 0 if the breaker is closed.
-- @include redis/now
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'probeUntil', string.format('%.0f', now() + ARGV[1]))
return 1
