-- Removes everything of a session except its past events. The tenant keeps only the highest epoch of its purged
-- sessions, from which new sessions continue. The owner record keeps for some time whether the phone knows of the
-- logout.
--   KEYS[1]  owner record
--   KEYS[2]  ids of the tenant's sessions
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that its worker owns
--   KEYS[5]  ids of the tenant's sessions, by when they were made
--   KEYS[6]  the highest epoch of the tenant's purged sessions
--   KEYS[7…] further keys of the session, which are all deleted
--   ARGV[1]  session id
--   ARGV[2]  how long the owner record stays with ARGV[6], ms
--   ARGV[3]  epoch of the only claim that may purge, or '' for any
--   ARGV[4]  worker of that claim
--   ARGV[5]  '1' to purge only a session that is to be removed; KEYS[7] is its directory entry
--   ARGV[6]  '1' if the phone knows of the logout, '0' if it does not, '' if that is unknown
-- Returns 1 if the session was in the directory, else 0.
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
-- Everything is read before anything is written, so that an unreadable record does not leave half a session. The reply
-- is an error if a record has another type.
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
-- An index that cannot be read keeps its entry; readers compare entries with the owner record.
redis.pcall('SREM', KEYS[3], ARGV[1])
redis.pcall('SREM', KEYS[4], ARGV[1])
redis.pcall('ZREM', KEYS[5], ARGV[1])
redis.call('SREM', KEYS[2], ARGV[1])
return is_listed
