-- Removes all of a session but its past events. What stays is a tombstone: the owner record without a worker.
--   KEYS[1]  owner record
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that its worker owns
--   KEYS[5…] further keys of the session, all deleted
--   ARGV[1]  session id
--   ARGV[2]  life of the tombstone in ms
-- Returns 1 when the session was in the directory, else 0.
redis.call('UNLINK', unpack(KEYS, 5))
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'worker')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
return redis.call('SREM', KEYS[2], ARGV[1])
