-- Returns how many leases of a resource a tenant has.
--   KEYS[1]  leases, by when they run out
-- @include redis/now
return redis.call('ZCOUNT', KEYS[1], '(' .. now(), '+inf')
