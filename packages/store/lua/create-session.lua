-- Enters a session into the directory.
--   KEYS[1]  directory entry
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  owner record, which a purged session of the same id may have left as a tombstone
--   KEYS[4]  ids of the tenant's sessions that want a worker and have none
--   ARGV[1]  session id
--   ARGV[2]  name, or ''
-- Returns the time of creation in ms, or 0 when the session exists.
-- @include now
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
local created = string.format('%.0f', now())
redis.call('HSET', KEYS[1], 'desired', 'open', 'status', 'queued', 'since', created, 'createdAt', created)
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'name', ARGV[2])
end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[3], 'unlinked')
redis.call('PERSIST', KEYS[3])
return tonumber(created)
