-- Marks a session for removal, which happens as soon as its phone knows of the logout. A session without a living owner
-- is queued for a worker, which logs it out.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that ARGV[2] owns
--   ARGV[1]  session id
--   ARGV[2]  worker that is dead and therefore does not count as an owner, or ''
--   ARGV[3]  time after which it is removed even if the phone does not know, ms; an earlier mark stays
-- Returns 1, 2 if the session was already marked, 3 if its credentials were handed out, or 0 if there is no such session.
-- With 3 and 0 nothing is written: a worker would log out a device that may be used elsewhere.
-- @include sessions/write-status
if redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
local entry = redis.call('HMGET', KEYS[2], 'status', 'reason')
if entry[1] == 'closed' and entry[2] == 'exported' then
  return 3
end
-- Read before anything is written: it may be of another type.
local worker = redis.call('HGET', KEYS[1], 'worker')
-- An export that a worker of an earlier release carries out is taken back as well.
redis.call('HDEL', KEYS[2], 'exportId', 'exportBy', 'exportKey')
local is_first = redis.call('HSETNX', KEYS[2], 'removeBy', string.format('%.0f', now() + ARGV[3]))
if not worker or worker == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'worker')
  redis.call('HSET', KEYS[2], 'desired', 'open')
  write_status(KEYS[2], 'queued', 'removing')
  -- An index that cannot be read is left unchanged; see want-worker.
  redis.pcall('SREM', KEYS[4], ARGV[1])
  redis.pcall('SADD', KEYS[3], ARGV[1])
end
return is_first == 1 and 1 or 2
