-- Begins to send the next message of a job, for the run that holds it.
--   KEYS[1]  record of the job
--   KEYS[2]  its messages
--   KEYS[3]  removal of the tenant
--   ARGV[1]  token of the run
--   ARGV[2]  how many tries may have sent a message without an answer
-- Returns {'send', index, the message (JSON) or '', waits before it}, {'exhausted', index} if there were as many tries,
-- or {'stop'} if the run has nothing to send now.
-- @include redis/now
-- @include jobs/change-parts
local time = now()
local job = read_job()
if job.token ~= ARGV[1] or job.state ~= 'running' or time >= job.expiresAt or until_next(job, time) > 0 then
  return { 'stop' }
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  return { 'stop' }
end
if (job.tries or 0) >= tonumber(ARGV[2]) then
  return { 'exhausted', job.next }
end
redis.call('HSET', KEYS[1], 'sending', '1', 'beganAt', string.format('%.0f', time))
redis.call('HINCRBY', KEYS[1], 'tries', 1)
local text = redis.pcall('LINDEX', KEYS[2], job.next)
return { 'send', job.next, type(text) == 'string' and text or '', job.waits or 0 }
