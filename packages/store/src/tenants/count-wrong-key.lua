-- Takes the cost of a wrong key out of the bucket that an address has for all edges together.
-- A bucket is stored as the time at which it is full again, in ms with fractions (the generic cell rate algorithm). A
-- full bucket needs no key.
--   KEYS[1]  bucket
--   ARGV[1]  tokens that the key costs
--   ARGV[2]  tokens that come in a second
--   ARGV[3]  tokens that the bucket holds
-- Returns how many tokens are left, rounded down. A negative number is a debt, of at most one full bucket.
-- @include redis/now
-- @include redis/forget-unreadable
local time = now()
forget_unreadable(KEYS[1], 'string')
local each = 1000 / tonumber(ARGV[2])
local burst = tonumber(ARGV[3])
local longest = 2 * burst * each
-- A clock that was set back must not lock the bucket for long.
local full_at = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or time) or time, time), time + longest)
full_at = math.min(full_at + ARGV[1] * each, time + longest)
redis.call('SET', KEYS[1], string.format('%.4f', full_at), 'PX', math.ceil(full_at - time))
return math.floor(burst - (full_at - time) / each)
