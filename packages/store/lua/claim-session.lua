-- Claims a session: succeeds when nobody owns it, when the claimer does already, or when the owner is the one whose
-- death the claimer names as evidence. Counts the epoch up, so that every earlier fence refuses from now on.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry of the session
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that the claimer owns
--   KEYS[5]  ids of those that the worker that is believed dead owns; KEYS[4] where there is none
--   KEYS[6]  the highest epoch of the tenant's purged sessions
--   ARGV[1]  claiming worker
--   ARGV[2]  worker that is believed dead, or ''
--   ARGV[3]  session id
-- Returns {1, epoch, worker it was taken from, or ''} when claimed, {0, epoch, owner} when refused, {-1} when there is no such session.
if redis.call('EXISTS', KEYS[2]) == 0 then
  return { -1 }
end
local owner = redis.call('HGET', KEYS[1], 'worker')
if owner and owner ~= ARGV[1] and owner ~= ARGV[2] then
  return { 0, tonumber(redis.call('HGET', KEYS[1], 'epoch')), owner }
end
-- A session of the same id may have been purged, and a writer of that one may still be there.
if not redis.call('HGET', KEYS[1], 'epoch') then
  redis.call('HSET', KEYS[1], 'epoch', redis.call('GET', KEYS[6]) or 0)
end
redis.call('HSET', KEYS[1], 'worker', ARGV[1])
redis.call('SREM', KEYS[3], ARGV[3])
redis.call('SREM', KEYS[5], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
local previous = owner ~= ARGV[1] and owner or ''
return { 1, redis.call('HINCRBY', KEYS[1], 'epoch', 1), previous }
