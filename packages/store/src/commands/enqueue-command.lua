-- Puts a command into a worker's inbox, unless its tenant or session has too many under way.
--   KEYS[1]  lease of the worker
--   KEYS[2]  inbox
--   KEYS[3]  the tenant's commands of the same lane that are under way at all workers, by their deadlines, ms; this and
--            the next key may be omitted for a command that is not counted
--   KEYS[4]  those of the session
--   ARGV[1]  command (JSON)
--   ARGV[2]  how long its sender waits, ms
--   ARGV[3]  maximum number of commands in the inbox, or '' for any number
--   ARGV[4]  life of the inbox in ms
--   ARGV[5]  id of the command
--   ARGV[6]  maximum number of commands that the tenant may have under way, or '' for any number
--   ARGV[7]  the same for the session
--   ARGV[8]  number of a tenant's commands up to which a full inbox still accepts its commands
-- A counted command is queued once, even if it is sent again after its answer was lost.
-- Returns {'queued'}, {'full'}, {'gone'} if the worker's lease expired, or {'tenant', number} or {'session', number} if
-- there are too many commands.
-- @include redis/now
-- @include redis/forget-unreadable
if redis.call('EXISTS', KEYS[1]) == 0 then
  -- This write changes nothing, but fails if Redis accepts no writes. In that case the lease could not be renewed, so
  -- its absence does not mean that the worker is gone.
  redis.call('SETRANGE', KEYS[1], 0, '')
  return { 'gone' }
end
forget_unreadable(KEYS[2], 'stream')
for i = 3, #KEYS do
  forget_unreadable(KEYS[i], 'zset')
end
if KEYS[3] and redis.call('ZSCORE', KEYS[3], ARGV[5]) then
  return { 'queued' }
end
local time = now()
local deadline = string.format('%.0f', time + ARGV[2])
local of_tenant = 0
-- Nothing is written before the command itself: when out of memory, Redis refuses only a script's first write, and only
-- if that write needs memory. Later writes succeed.
for i = 3, #KEYS do
  local count = redis.call('ZCOUNT', KEYS[i], string.format('(%.0f', time), '+inf')
  local limit = tonumber(ARGV[i + 3])
  if limit and count >= limit then
    return { i == 3 and 'tenant' or 'session', count }
  end
  if i == 3 then
    of_tenant = count
  end
end
if ARGV[3] ~= '' and redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) and of_tenant >= tonumber(ARGV[8]) then
  return { 'full' }
end
redis.call('XADD', KEYS[2], '*', 'command', ARGV[1], 'deadline', deadline)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
for i = 3, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', time)
  redis.call('ZADD', KEYS[i], deadline, ARGV[5])
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
end
return { 'queued' }
