-- Takes tokens out of buckets of one tenant: out of all of them, or out of none.
-- A bucket is stored as the time at which it is full again, in ms with fractions (the generic cell rate algorithm), and
-- the limit at that time. A full bucket needs no key.
--   KEYS[1]   limits of the tenant
--   KEYS[2…]  buckets
--   ARGV[1]   number of tokens; 0 to only read
--   ARGV[2]   'all': takes them if enough are left. 'debt': takes them if at least one is left; the rest is owed, up to
--             one full bucket
--   ARGV[3…]  for each bucket: name of its limit, the limit of a tenant that has none of its own, ms within which a
--             bucket fills
-- Returns {1 if taken, else 0; ms after which a retry may succeed, 0 if taken; then for each bucket its limit, how many
-- tokens are left, and ms until it is full}.
-- @include redis/now
-- @include tenants/limit-of
-- @include redis/forget-unreadable
local time = now()
local wanted = tonumber(ARGV[1])
local is_debt = ARGV[2] == 'debt'
local buckets = {}
local wait = 0
for i = 2, #KEYS do
  local at = 3 * (i - 2) + 3
  local limit = limit_of(KEYS[1], ARGV[at], ARGV[at + 1], 1)
  local window = tonumber(ARGV[at + 2])
  forget_unreadable(KEYS[i], 'string')
  local stored, of_limit = string.match(redis.call('GET', KEYS[i]) or '', '^(%d+%.%d+) (%d+)$')
  -- If the limit has changed, the same number of tokens takes another time to come back.
  local owed = stored and (stored - time) * of_limit / limit or 0
  -- A clock that was set back, or a smaller window, must not lock the bucket for long.
  local full_at = time + math.min(math.max(owed, 0), 2 * window)
  local each = window / limit
  -- A request that costs more than a full bucket must be possible too: a full bucket suffices for it.
  local cost = is_debt and wanted or math.min(wanted, limit)
  local needed = is_debt and math.min(wanted, 1) or cost
  wait = math.max(wait, full_at + needed * each - window - time)
  buckets[i] = { limit = limit, window = window, each = each, full_at = full_at, cost = cost }
end
local is_taken = wait <= 0.001
local answer = { is_taken and 1 or 0, is_taken and 0 or math.ceil(wait) }
for i = 2, #KEYS do
  local bucket = buckets[i]
  if is_taken and bucket.cost > 0 then
    bucket.full_at = math.min(bucket.full_at + bucket.cost * bucket.each, time + 2 * bucket.window)
    redis.call('SET', KEYS[i], string.format('%.4f %d', bucket.full_at, bucket.limit), 'PX', math.ceil(bucket.full_at - time))
  end
  local owed = bucket.full_at - time
  answer[#answer + 1] = bucket.limit
  answer[#answer + 1] = math.max(0, math.floor((bucket.window - owed) / bucket.each + 0.001))
  answer[#answer + 1] = math.ceil(owed)
end
return answer
