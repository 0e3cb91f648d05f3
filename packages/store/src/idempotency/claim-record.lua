-- Begins a call with an Idempotency-Key, unless another request with the key is being carried out or has ended.
--   KEYS[1]  the record of the key
--   KEYS[2]  all records of the tenant, by when they expire
--   KEYS[3]  limits of the tenant
--   ARGV[1]  name of the record in KEYS[2]
--   ARGV[2]  fingerprint of the request
--   ARGV[3]  token of this claim. The same claim, after its answer was lost, gets the same answer
--   ARGV[4]  how long the claim holds, ms
--   ARGV[5]  how long the record is kept, ms
--   ARGV[6]  how many records a tenant may have that has no limit of its own
-- Returns {'claimed'}, {'done', answer}, {'running', ms until the claim of the other request ends at the latest},
-- {'reused'} if the fingerprint of the key is another one, or {'full', number of records, the limit, ms until the
-- oldest one expires}.
-- @include redis/now
-- @include redis/count-in
-- @include redis/forget-unreadable
-- @include tenants/limit-of
local time = now()
forget_unreadable(KEYS[1], 'hash')
forget_unreadable(KEYS[2], 'zset')
local fingerprint, token, till, answer = unpack(redis.call('HMGET', KEYS[1], 'fingerprint', 'token', 'until', 'answer'))
if fingerprint then
  if fingerprint ~= ARGV[2] then
    return { 'reused' }
  end
  if answer then
    return { 'done', answer }
  end
  -- A claim whose end cannot be read has ended: its call may be made again, under the same ids.
  till = count_in(till)
  if token and token ~= ARGV[3] and till and till > time then
    return { 'running', math.min(till - time, tonumber(ARGV[4])) }
  end
elseif not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  local count = redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', time), '+inf')
  local limit = limit_of(KEYS[3], 'idempotencyKeys', ARGV[6])
  if count >= limit then
    local next = redis.call('ZRANGEBYSCORE', KEYS[2], string.format('(%.0f', time), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    return { 'full', count, limit, next[2] and math.floor(next[2] - time) or 0 }
  end
end
-- Nothing is deleted before this: when out of memory, Redis refuses only a script's first write.
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'token', ARGV[3], 'until', string.format('%.0f', time + ARGV[4]))
if not fingerprint then
  redis.call('HDEL', KEYS[1], 'answer', 'tries')
end
if token ~= ARGV[3] then
  local tries = count_in(redis.call('HGET', KEYS[1], 'tries')) or 0
  redis.call('HSET', KEYS[1], 'tries', string.format('%.0f', tries + 1))
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], string.format('%.0f', time + ARGV[5]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', time))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return { 'claimed' }
