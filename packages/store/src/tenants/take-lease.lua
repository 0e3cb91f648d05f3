-- Takes a lease of a resource of one tenant, unless the limit is reached.
--   KEYS[1]  limits of the tenant
--   KEYS[2]  leases, by when they run out
--   ARGV[1]  the lease
--   ARGV[2]  how long it holds, ms
--   ARGV[3]  name of the limit
--   ARGV[4]  that limit for a tenant that has none of its own
-- Taking the same lease again, after the answer was lost with its connection, counts once.
-- Returns {1 if taken, else 0; number of leases; the limit}.
-- @include redis/now
-- @include redis/forget-unreadable
-- @include tenants/limit-of
local time = now()
forget_unreadable(KEYS[2], 'zset')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time)
local count = redis.call('ZCARD', KEYS[2])
local limit = limit_of(KEYS[1], ARGV[3], ARGV[4])
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  if count >= limit then
    return { 0, count, limit }
  end
  count = count + 1
end
redis.call('ZADD', KEYS[2], string.format('%.0f', time + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return { 1, count, limit }
