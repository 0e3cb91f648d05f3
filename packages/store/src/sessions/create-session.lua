-- Enters a session into the directory, unless its tenant has as many as it may have.
--   KEYS[1]  directory entry
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  owner record, with what is known of a purged session of the same id
--   KEYS[4]  the same ids, by when the sessions were made
--   KEYS[5]  limits of the tenant
--   KEYS[6]  ids of the tenant's sessions that want a worker and have none
--   ARGV[1]  session id
--   ARGV[2]  name, or ''
--   ARGV[3]  how many sessions a tenant may have that has no limit of its own, or '' for any number
--   ARGV[4]  names this call: when it comes again, since its answer was lost, it gets the same answer
-- Returns {'created', ms}, {'exists'} or {'full', how many it may have, how many it has}.
-- @include redis/now
-- @include tenants/limit-of
if redis.call('EXISTS', KEYS[1]) == 1 then
  -- An error for an entry of another type, which no call made.
  local made = redis.pcall('HMGET', KEYS[1], 'madeBy', 'createdAt')
  if made[1] == ARGV[4] then
    return { 'created', tonumber(made[2]) }
  end
  return { 'exists' }
end
local limit = limit_of(KEYS[5], 'sessions', ARGV[3])
local count = redis.call('SCARD', KEYS[2])
if limit and count >= limit then
  return { 'full', limit, count }
end
-- Read before anything is written, as the ids are: one of another type refuses the session.
local known = redis.call('HGET', KEYS[3], 'unlinked')
local created = string.format('%.0f', now())
redis.call('HSET', KEYS[1], 'desired', 'open', 'status', 'queued', 'since', created, 'createdAt', created,
  'madeBy', ARGV[4])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'name', ARGV[2])
end
redis.call('SADD', KEYS[2], ARGV[1])
-- An index that cannot be read is left as it is: the next page makes the order up anew (page-sessions), and the slow
-- comparison of all sessions finds this one.
redis.pcall('ZADD', KEYS[4], created, ARGV[1])
redis.pcall('SADD', KEYS[6], ARGV[1])
if known then
  redis.call('HDEL', KEYS[3], 'unlinked')
end
redis.call('PERSIST', KEYS[3])
return { 'created', tonumber(created) }
