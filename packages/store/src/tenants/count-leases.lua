-- Returns the number of leases of a resource that a tenant has.
--   KEYS[1]  leases, by when they run out
-- @include redis/now
return redis.call('ZCOUNT', KEYS[1], '(' .. now(), '+inf')
