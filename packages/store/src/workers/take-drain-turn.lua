-- Takes a turn to drain, or keeps it. Workers with the least time left go first.
--   KEYS[1]  workers that have a turn, by the time when it ends unless they keep it, ms
--   KEYS[2]  workers that wait, by the time when they must have drained, ms
--   KEYS[3]  workers that wait, by the time until which they count unless they ask again, ms
--   ARGV[1]  worker
--   ARGV[2]  the time that it has left to drain, ms
--   ARGV[3]  how long a turn, or a place in the line, lasts without another call, ms
--   ARGV[4]  how many may have a turn at a time
-- Returns {1, time for which it may drain, ms}, or {0, 0} if it has no turn. The time is such that each waiting worker
-- gets the same time before its own time is up.
-- @include redis/now
local time = now()
local expires = string.format('%.0f', time + ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', time))) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  redis.call('ZADD', KEYS[2], 'NX', string.format('%.0f', time + ARGV[2]), ARGV[1])
  redis.call('ZADD', KEYS[3], expires, ARGV[1])
  local ahead = redis.call('ZCARD', KEYS[1]) + redis.call('ZRANK', KEYS[2], ARGV[1])
  if ahead >= tonumber(ARGV[4]) then
    return { 0, 0 }
  end
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
redis.call('ZADD', KEYS[1], expires, ARGV[1])
local share = tonumber(ARGV[2])
local line = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for place = 1, #line / 2 do
  share = math.min(share, (tonumber(line[2 * place]) - time) / (place + 1))
end
return { 1, math.max(0, math.floor(share)) }
