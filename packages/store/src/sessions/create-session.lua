-- Creates a session in the directory, unless its tenant has reached its limit.
--   KEYS[1]  directory entry
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  owner record, which may hold data of a purged session with the same id
--   KEYS[4]  the same ids, by when the sessions were made
--   KEYS[5]  limits of the tenant
--   KEYS[6]  ids of the tenant's sessions that want a worker and have none
--   KEYS[7]  settings of the session
--   KEYS[8]  credentials
--   KEYS[9]  removal of the tenant
--   ARGV[1]  session id
--   ARGV[2]  name, or ''
--   ARGV[3]  maximum number of sessions of a tenant that has no limit of its own, or '' for any number
--   ARGV[4]  id of this call: a retry, after its answer was lost, gets the same answer
--   ARGV[5]  the readable part of its settings, JSON, or '' if nothing is set
--   ARGV[6]  its sealed proxy, or ''
--   ARGV[7]  credentials of a linked session, sealed for workers, or ''
--   ARGV[8]  phone number of its account
--   ARGV[9]  its device of the account
-- Returns {'created', ms}, {'exists'}, {'no-tenant'} if the tenant is being removed, or {'full', maximum number of sessions, number of sessions}.
-- @include redis/now
-- @include tenants/limit-of
if redis.call('EXISTS', KEYS[1]) == 1 then
  -- An error if the entry has another type, which no call created.
  local made = redis.pcall('HMGET', KEYS[1], 'madeBy', 'createdAt')
  if made[1] == ARGV[4] then
    return { 'created', tonumber(made[2]) }
  end
  return { 'exists' }
end
if redis.call('EXISTS', KEYS[9]) == 1 then
  return { 'no-tenant' }
end
local limit = limit_of(KEYS[5], 'sessions', ARGV[3])
local count = redis.call('SCARD', KEYS[2])
if limit and count >= limit then
  return { 'full', limit, count }
end
-- This and the ids are read before anything is written. If one has another type, the session is not created.
local known = redis.call('HGET', KEYS[3], 'unlinked')
local created = string.format('%.0f', now())
redis.call('HSET', KEYS[1], 'desired', 'open', 'status', 'queued', 'since', created, 'createdAt', created,
  'madeBy', ARGV[4])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'name', ARGV[2])
end
-- A release without settings may have purged a session of this id and left them.
redis.call('DEL', KEYS[7])
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[7], 'plain', ARGV[5], 'version', '1')
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[7], 'proxy', ARGV[6])
end
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], 'phone', ARGV[8], 'device', ARGV[9], 'importedAt', created)
  redis.call('DEL', KEYS[8])
  redis.call('HSET', KEYS[8], 'import', ARGV[7])
end
redis.call('SADD', KEYS[2], ARGV[1])
-- An index that cannot be read is left unchanged: the next page rebuilds the order (page-sessions), and the slow
-- comparison of all sessions finds this session.
redis.pcall('ZADD', KEYS[4], created, ARGV[1])
redis.pcall('SADD', KEYS[6], ARGV[1])
if known then
  redis.call('HDEL', KEYS[3], 'unlinked')
end
redis.call('PERSIST', KEYS[3])
return { 'created', tonumber(created) }
