-- Ends a claim without an answer, so that a retry acts.
--   KEYS[1]  the record of the key
--   KEYS[2]  all records of the tenant, by when they expire
--   ARGV[1]  name of the record in KEYS[2]
--   ARGV[2]  token of the claim
--   ARGV[3]  '1' if the call may have acted: the record then keeps its fingerprint. '' if it did nothing: the record is
--            deleted, unless an earlier request with the key may have acted
-- Returns 1, or 0 if another request has claimed the key since, or the record is gone.
local token, tries = unpack(redis.call('HMGET', KEYS[1], 'token', 'tries'))
if token ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' and tries == '1' then
  redis.call('DEL', KEYS[1])
  redis.pcall('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HDEL', KEYS[1], 'token', 'until')
end
return 1
