-- Notes the position that a client has reached, or only that it is still there. Either proves that the client reads.
--   KEYS[1]   the client's record
--   ARGV[1]   prefix of the names of the tenant's keys
--   ARGV[2]   hash that names the record
--   ARGV[3]   how long to keep it, ms
--   ARGV[4…]  fields, each with its value; none leaves the record as it is
-- Returns 1, or 0 if there is no record. Makes none in that case, since it would lack the subscription.
-- @include redis/now
-- @include events/resume-index
local key = redis.call('HGET', KEYS[1], 'key')
if not key then
  return 0
end
redis.call('HSET', KEYS[1], 'proven', '1', unpack(ARGV, 4))
touch_record(key, ARGV[2], now())
for _, name in ipairs({ BASE .. 'resumes:' .. key, BASE .. 'resume-sizes:' .. key, TOTALS }) do
  redis.call('PEXPIRE', name, 2 * ARGV[3])
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
