-- Removes all of a session but its past events. What stays is a tombstone: the owner record without a worker.
--   KEYS[1]  owner record
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  the same ids, by when the sessions were made
--   KEYS[4…] further keys of the session, all deleted
--   ARGV[1]  session id
--   ARGV[2]  life of the tombstone in ms
-- Returns 1 when the session was in the directory, else 0.
redis.call('UNLINK', unpack(KEYS, 4))
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HDEL', KEYS[1], 'worker')
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('SREM', KEYS[2], ARGV[1])
