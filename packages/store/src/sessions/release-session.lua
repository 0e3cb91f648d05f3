-- Releases a session: clears its worker and keeps its epoch, so that the fence refuses all later writes.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that the worker owns
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  session id
-- Returns 1. Error FENCED if the claim no longer owns the session.
-- @include sessions/fence
-- @include sessions/want-worker
-- The owner record is written first, so that an index that cannot be read does not block the next worker.
redis.call('HDEL', KEYS[1], 'worker')
redis.pcall('SREM', KEYS[4], ARGV[3])
note_unowned(KEYS[2], KEYS[3], ARGV[3])
return 1
