-- Changes the name of a tenant.
--   KEYS[1]  tenant
--   ARGV[1]  its new name
-- Returns 1, or 0 if there is no such tenant.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'name', ARGV[1])
return 1
