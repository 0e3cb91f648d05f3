-- Writes what became of a message that a run has begun to send.
--   KEYS[1…6]  as in jobs/change-parts
--   ARGV[1]  job id
--   ARGV[2]  token of the run
--   ARGV[3]  index of the message
--   ARGV[4]  'sent', 'failed' or 'unknown': what became of it. 'wait': nothing was done, try again later. 'retry': it may
--            have been sent, try again later. 'abort': nothing was done, and the job fails
--   ARGV[5]  the error, JSON, or ''
--   ARGV[6]  when to try again, ms from now
--   ARGV[7]  how long an ended job is kept, ms
--   ARGV[8]  the error of a message that may have been sent, JSON
-- Returns {state of the job, ms until it goes on or -1}, or {'lost', -1} if another run holds the job.
-- @include redis/now
-- @include jobs/change-parts
local time = now()
local id, outcome, err = ARGV[1], ARGV[4], ARGV[5]
local job = read_job()
if job.token ~= ARGV[2] or job.next ~= tonumber(ARGV[3]) then
  return { 'lost', -1 }
end
local pace, on_error, began = unpack(redis.call('HMGET', KEYS[1], 'pace', 'onError', 'beganAt'))
redis.call('HDEL', KEYS[1], 'sending')
if outcome == 'wait' or outcome == 'abort' then
  job.tries = math.max(0, (job.tries or 0) - 1)
  redis.call('HSET', KEYS[1], 'tries', job.tries)
end
if outcome == 'failed' and (job.tries or 0) > 1 then
  -- This try did not send it, but an earlier one may have.
  outcome, err = 'unknown', ARGV[8]
end
local may_be_sent = (job.tries or 0) > 0
if outcome == 'sent' or outcome == 'failed' or outcome == 'unknown' then
  note_result(id, job, outcome, err, time)
  if pace and pace ~= '' then
    job.nextAt = (count_in(began) or time) + math.floor(60000 / pace)
    redis.call('HSET', KEYS[1], 'nextAt', string.format('%.0f', job.nextAt))
  end
  if ACTIVE[job.state] and outcome ~= 'sent' and on_error == 'stop' then
    end_job(id, job, 'failed', err, time, ARGV[7])
  elseif ACTIVE[job.state] and job.next >= job.total then
    end_job(id, job, 'done', '', time, ARGV[7])
  end
elseif outcome == 'abort' or not ACTIVE[job.state] then
  if may_be_sent then
    note_result(id, job, 'unknown', ARGV[8], time)
  end
  if ACTIVE[job.state] then
    end_job(id, job, 'failed', err, time, ARGV[7])
  end
else
  job.nextAt = time + ARGV[6]
  redis.call('HSET', KEYS[1], 'nextAt', string.format('%.0f', job.nextAt), 'waitsFor', err)
  redis.call('HINCRBY', KEYS[1], 'waits', 1)
end
return { job.state, until_next(job, time) }
