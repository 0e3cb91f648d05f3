-- Claims a session. Succeeds if the session has no owner, if the claimer already owns it, or if the owner is the worker
-- that the claimer believes dead. Increments the epoch, so that every earlier fence refuses from now on.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry of the session
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that the claimer owns
--   KEYS[5]  ids of the tenant's sessions that the worker that is believed dead owns; KEYS[4] if there is none
--   KEYS[6]  the highest epoch of the tenant's purged sessions
--   ARGV[1]  claiming worker
--   ARGV[2]  worker that is believed dead, or ''
--   ARGV[3]  session id
-- Returns {1, epoch, worker it was taken from, or ''} if claimed, {0, epoch, owner} if refused, {-1} if there is no
-- such session.
-- @include redis/count-in
-- @include redis/now
if redis.call('EXISTS', KEYS[2]) == 0 then
  return { -1 }
end
local record = redis.call('HMGET', KEYS[1], 'worker', 'epoch')
local owner, epoch = record[1], count_in(record[2])
if owner and owner ~= ARGV[1] and owner ~= ARGV[2] then
  return { 0, epoch or 0, owner }
end
if not epoch then
  -- A session with the same id may have been purged, and a writer of that session may still run.
  local highest = redis.pcall('GET', KEYS[6])
  epoch = highest and count_in(highest) or 0
  if record[2] or (highest and not count_in(highest)) then
    -- The last epoch cannot be read. The current time in ms is greater than every counted epoch.
    epoch = math.max(epoch, now())
  end
end
epoch = epoch + 1
-- The owner record is written last, in one write, so that an earlier failure leaves it unchanged. An index that cannot
-- be read keeps its entry; readers compare entries with the owner record.
redis.pcall('SREM', KEYS[3], ARGV[3])
redis.pcall('SREM', KEYS[5], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'worker', ARGV[1])
local previous = owner ~= ARGV[1] and owner or ''
return { 1, epoch, previous }
