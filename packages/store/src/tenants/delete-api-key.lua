-- Deletes an API key.
--   KEYS[1]  API key
--   ARGV[1]  its id
-- Returns its tenant, or '' if KEYS[1] holds another key or none.
local stored = redis.call('HMGET', KEYS[1], 'id', 'tenantId')
if stored[1] ~= ARGV[1] then
  return ''
end
redis.call('DEL', KEYS[1])
return stored[2]
