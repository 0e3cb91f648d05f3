-- Enters a session into the index that matches its current owner record, and into the creation order of the tenant's
-- sessions.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that a worker owns
--   KEYS[5]  ids of the tenant's sessions
--   KEYS[6]  the same ids, by when the sessions were made
--   ARGV[1]  session id
--   ARGV[2]  that worker
-- Returns 1 if the worker owns the session, else 0.
-- @include sessions/want-worker
if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 0 then
  redis.call('ZREM', KEYS[6], ARGV[1])
else
  -- A record that cannot be read keeps its place.
  local created = redis.pcall('HGET', KEYS[2], 'createdAt') or '0'
  local is_moment = type(created) == 'string' and created:match('^%d+$')
  -- If the order does not exist yet, the first page that is read builds it; see page-sessions.
  if is_moment and redis.call('EXISTS', KEYS[6]) == 1 and redis.call('ZSCORE', KEYS[6], ARGV[1]) ~= created then
    redis.call('ZADD', KEYS[6], created, ARGV[1])
  end
end
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
