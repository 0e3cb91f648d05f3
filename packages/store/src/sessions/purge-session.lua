-- Removes all of a session but its past events. Of its epochs only the highest one of all sessions of the tenant is kept,
-- from which the next session goes on. What is known of the phone stays for a while, in the owner record.
--   KEYS[1]  owner record
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that its worker owns
--   KEYS[5]  ids of the tenant's sessions, by when they were made
--   KEYS[6]  the highest epoch of the tenant's purged sessions
--   KEYS[7…] further keys of the session, all deleted
--   ARGV[1]  session id
--   ARGV[2]  how long the owner record stays with ARGV[6], ms
--   ARGV[3]  epoch of the only claim that may purge, or '' for any
--   ARGV[4]  worker of that claim
--   ARGV[5]  '1' to purge only a session that is to be removed; KEYS[7] is its directory entry
--   ARGV[6]  what is said of the phone: '1' it knows, '0' it does not, '' nothing
-- Returns 1 when the session was in the directory, else 0.
-- @include redis/count-in
if ARGV[3] ~= '' then
  local owner = redis.call('HMGET', KEYS[1], 'epoch', 'worker')
  if owner[1] ~= ARGV[3] or owner[2] ~= ARGV[4] then
    return 0
  end
end
if ARGV[5] == '1' and redis.call('HEXISTS', KEYS[7], 'removeBy') == 0 then
  return 0
end
-- All is read before anything is written, so that what cannot be read leaves no half of a session. The reply is an error
-- when a record is of another type.
local is_listed = redis.call('SISMEMBER', KEYS[2], ARGV[1])
local unlinked = ARGV[6] ~= '' and ARGV[6] or redis.pcall('HGET', KEYS[1], 'unlinked')
local epoch, own = count_in(redis.pcall('HGET', KEYS[1], 'epoch'))
local highest = count_in(redis.pcall('GET', KEYS[6]))
redis.call('UNLINK', unpack(KEYS, 7))
if epoch and epoch > (highest or 0) then
  redis.call('SET', KEYS[6], own)
end
redis.call('DEL', KEYS[1])
if type(unlinked) == 'string' then
  redis.call('HSET', KEYS[1], 'unlinked', unlinked)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
-- An index that cannot be read keeps its entry, which a reader compares with the owner record.
redis.pcall('SREM', KEYS[3], ARGV[1])
redis.pcall('SREM', KEYS[4], ARGV[1])
redis.pcall('ZREM', KEYS[5], ARGV[1])
redis.call('SREM', KEYS[2], ARGV[1])
return is_listed
