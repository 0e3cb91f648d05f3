-- Cancels, pauses or resumes a job.
--   KEYS[1…6]  as in jobs/change-parts
--   ARGV[1]  job id
--   ARGV[2]  'cancel', 'pause' or 'resume'
--   ARGV[3]  how long an ended job is kept, ms
--   ARGV[4]  the error of a message that may have been sent, JSON
-- Returns {'changed', ms until the job goes on or -1}, {'ended', -1} if it had ended, or {'gone', -1}.
-- @include redis/now
-- @include jobs/change-parts
local time = now()
local id = ARGV[1]
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return { 'gone', -1 }
end
local job = read_job()
if not ACTIVE[job.state] then
  return { 'ended', -1 }
end
if ARGV[2] == 'cancel' then
  -- The run that is sending it writes what became of it.
  local is_sending = job.sending and is_held(job, time)
  if (job.tries or 0) > 0 and not is_sending then
    note_result(id, job, 'unknown', ARGV[4], time)
  end
  end_job(id, job, 'cancelled', '', time, ARGV[3])
elseif ARGV[2] == 'pause' then
  job.state = 'paused'
  redis.call('HSET', KEYS[1], 'state', job.state)
else
  job.state = redis.call('HEXISTS', KEYS[1], 'startedAt') == 1 and 'running' or 'scheduled'
  redis.call('HSET', KEYS[1], 'state', job.state)
  if (job.waits or 0) > 0 then
    redis.call('HDEL', KEYS[1], 'nextAt', 'waits', 'waitsFor')
    job.nextAt = nil
  end
end
return { 'changed', until_next(job, time) }
