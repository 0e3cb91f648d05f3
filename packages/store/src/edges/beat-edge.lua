-- Extends the time for which an edge's socket counts hold, and forgets edges that have ended.
--   KEYS[1]  until when each edge counts as running
--   ARGV[1]  the edge
--   ARGV[2]  for how long from now, ms
-- Returns how many edges there are.
-- @include redis/now
-- @include redis/forget-unreadable
local time = now()
forget_unreadable(KEYS[1], 'zset')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time))
redis.call('ZADD', KEYS[1], string.format('%.0f', time + ARGV[2]), ARGV[1])
return redis.call('ZCARD', KEYS[1])
