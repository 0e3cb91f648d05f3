-- Marks a tenant as one that is being removed. From then on no session and no API key is made in it.
--   KEYS[1]  tenant
--   KEYS[2]  removal of the tenant
-- Returns 1 if the tenant is being removed, by this call or an earlier one; 0 if there is no such tenant.
-- @include redis/now
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSETNX', KEYS[2], 'since', string.format('%.0f', now()))
return 1
