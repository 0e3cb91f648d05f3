-- Stores an API key by its hash, unless it is stored already.
--   KEYS[1]  API key
--   ARGV[1]  id for it
--   ARGV[2]  its hash, in full
--   ARGV[3]  tenant
--   ARGV[4]  name, or ''
--   ARGV[5]  time of creation, ms
-- Returns the key's id: the given one, or that of the same tenant's key from before; '' when another tenant has it.
local stored = redis.call('HMGET', KEYS[1], 'id', 'hash', 'tenantId')
if stored[1] then
  return (stored[2] == ARGV[2] and stored[3] == ARGV[3]) and stored[1] or ''
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'hash', ARGV[2], 'tenantId', ARGV[3], 'createdAt', ARGV[5])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'name', ARGV[4])
end
return ARGV[1]
