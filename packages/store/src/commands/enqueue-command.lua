-- Puts a command into a worker's inbox, unless its tenant or session has too many under way.
--   KEYS[1]  lease of the worker
--   KEYS[2]  inbox
--   KEYS[3]  the tenant's commands of the same lane that are under way, at all workers, by their deadlines, ms; it and
--            the next one may be left out for a command that is not counted
--   KEYS[4]  those of the session
--   ARGV[1]  command (JSON)
--   ARGV[2]  how long its sender waits, ms
--   ARGV[3]  how many commands the inbox may hold, or '' for any number
--   ARGV[4]  life of the inbox in ms
--   ARGV[5]  id of the command
--   ARGV[6]  how many commands the tenant may have under way, or '' for any number
--   ARGV[7]  how many the session may have, or '' for any number
--   ARGV[8]  how many of a tenant an inbox takes that holds too many
-- A command that is counted is queued once, even if it comes again, since the answer was lost.
-- Returns {'queued'}, {'full'}, {'gone'} when the worker's lease ran out, {'tenant', how many} or {'session', how many}
-- when there are too many.
-- @include redis/now
-- @include redis/forget-unreadable
if redis.call('EXISTS', KEYS[1]) == 0 then
  -- Changes nothing, and fails where Redis takes no writes: a lease that cannot be renewed says nothing of its worker.
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
-- Nothing is written before the command itself: Redis refuses only a script's first write when it is out of memory, and
-- only if that one needs memory. Later ones are let through.
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
