-- Renews leases. A lease that expired meanwhile counts again.
--   KEYS[1]   leases, by when they run out
--   ARGV[1]   how long they hold, ms
--   ARGV[2…]  the leases
-- Returns the number of leases.
-- @include redis/now
-- @include redis/forget-unreadable
local till = string.format('%.0f', now() + ARGV[1])
forget_unreadable(KEYS[1], 'zset')
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], till, ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return #ARGV - 1
