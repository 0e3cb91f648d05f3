-- Stores an API key by its hash, unless it is stored already.
--   KEYS[1]  API key
--   ARGV[1]  when it is to be forgotten, ms since 1970, or ''
--   ARGV[2]  id for it
--   ARGV[3]  its hash, in full
--   ARGV[4]  tenant
--   ARGV[5…] further fields and their values
-- Returns the key's id: the given one, or the existing one if the tenant already has the key, which stays unchanged; ''
-- if another tenant has the key.
local stored = redis.call('HMGET', KEYS[1], 'id', 'hash', 'tenantId')
if stored[1] then
  return (stored[2] == ARGV[3] and stored[3] == ARGV[4]) and stored[1] or ''
end
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'hash', ARGV[3], 'tenantId', ARGV[4], unpack(ARGV, 5))
if ARGV[1] ~= '' then
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return ARGV[2]
