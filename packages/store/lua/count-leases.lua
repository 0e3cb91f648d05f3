-- Tells how many leases of a resource a tenant has.
--   KEYS[1]  leases, by when they run out
--   KEYS[2]  their weights
-- Returns {how many, what they weigh}.
-- @include now
-- @include expire-leases
local count, total = expire_leases(KEYS[1], KEYS[2], now())
return { count, total }
