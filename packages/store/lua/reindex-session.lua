-- Enters a session into the index that it belongs to, by its owner record as it is.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that a worker owns
--   ARGV[1]  session id
--   ARGV[2]  that worker
-- Returns 1 when the worker owns the session, else 0.
-- @include want-worker
local worker = redis.call('HGET', KEYS[1], 'worker')
if worker == ARGV[2] then
  redis.call('SADD', KEYS[4], ARGV[1])
  redis.call('SREM', KEYS[3], ARGV[1])
  return 1
end
redis.call('SREM', KEYS[4], ARGV[1])
if not worker then
  note_unowned(KEYS[2], KEYS[3], ARGV[1])
end
return 0
