-- Takes a session from a dead worker. The epoch stays, so that the fence refuses everything the worker may still write.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that the dead worker owns
--   ARGV[1]  the dead worker
--   ARGV[2]  session id
-- Returns 1, or 0 if that worker does not own the session.
-- @include sessions/want-worker
local is_owned = redis.call('HGET', KEYS[1], 'worker') == ARGV[1]
if is_owned then
  redis.call('HDEL', KEYS[1], 'worker')
end
redis.pcall('SREM', KEYS[4], ARGV[2])
if is_owned then
  note_unowned(KEYS[2], KEYS[3], ARGV[2])
end
return is_owned and 1 or 0
