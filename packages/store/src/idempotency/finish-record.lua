-- Stores the answer of a call with an Idempotency-Key, for all retries.
--   KEYS[1]  the record of the key
--   KEYS[2]  all records of the tenant, by when they expire
--   ARGV[1]  name of the record in KEYS[2]
--   ARGV[2]  token of the claim
--   ARGV[3]  the answer
--   ARGV[4]  how long the record is kept, ms
-- Returns 1, or 0 if another request has claimed the key since, or the record is gone: the answer is not stored.
-- @include redis/now
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'answer', ARGV[3])
redis.call('HDEL', KEYS[1], 'token', 'until')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
-- If the index has another type, the record is not counted.
redis.pcall('ZADD', KEYS[2], string.format('%.0f', now() + ARGV[4]), ARGV[1])
return 1
