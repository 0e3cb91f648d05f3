-- Notes that a session's credentials are to be handed out. The next worker that claims the session does it.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   ARGV[1]  session id
--   ARGV[2]  id of the export
--   ARGV[3]  how long it stands unless it is kept, ms; see keep-export
--   ARGV[4]  what the bundle is to be sealed with, sealed for workers
-- Returns 1, 2 if another export is under way, 3 if the session is being removed, or 0 if there is no such session.
-- @include redis/now
if redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
local entry = redis.call('HMGET', KEYS[2], 'exportBy', 'removeBy')
if entry[2] then
  return 3
end
if (tonumber(entry[1]) or 0) > now() then
  return 2
end
local worker = redis.call('HGET', KEYS[1], 'worker')
redis.call('HSET', KEYS[2], 'exportId', ARGV[2], 'exportBy', string.format('%.0f', now() + ARGV[3]),
  'exportKey', ARGV[4])
if not worker then
  redis.pcall('SADD', KEYS[3], ARGV[1])
end
return 1
