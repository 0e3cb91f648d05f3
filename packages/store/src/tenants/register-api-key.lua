-- Enters the id of a new API key into its tenant's list, unless the tenant is being removed or was removed.
--   KEYS[1]  ids of the tenant's API keys
--   KEYS[2]  removal of the tenant
--   ARGV[1]  id of the key
--   ARGV[2]  when it is forgotten, ms, or '+inf'
--   ARGV[3]  now, ms: keys that are forgotten are taken out
-- Returns 1, or 0 if the tenant is being removed.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return 1
