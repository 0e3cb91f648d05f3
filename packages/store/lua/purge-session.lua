-- Removes all of a session but its past events. What stays is a tombstone: the owner record without a worker.
--   KEYS[1]  owner record
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that its worker owns
--   KEYS[5]  ids of the tenant's sessions, by when they were made
--   KEYS[6…] further keys of the session, all deleted
--   ARGV[1]  session id
--   ARGV[2]  life of the tombstone in ms
--   ARGV[3]  epoch of the only claim that may purge, or '' for any
--   ARGV[4]  worker of that claim
--   ARGV[5]  '1' to purge only a session that is to be removed; KEYS[6] is its directory entry
--   ARGV[6]  what the tombstone says of the phone: '1' it knows, '0' it does not, '' nothing
-- Returns 1 when the session was in the directory, else 0.
if ARGV[3] ~= '' then
  local owner = redis.call('HMGET', KEYS[1], 'epoch', 'worker')
  if owner[1] ~= ARGV[3] or owner[2] ~= ARGV[4] then
    return 0
  end
end
if ARGV[5] == '1' and redis.call('HEXISTS', KEYS[6], 'removeBy') == 0 then
  return 0
end
redis.call('UNLINK', unpack(KEYS, 6))
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HDEL', KEYS[1], 'worker')
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[1], 'unlinked', ARGV[6])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
return redis.call('SREM', KEYS[2], ARGV[1])
