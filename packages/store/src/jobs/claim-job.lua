-- Begins a run of a job.
--   KEYS[1…6]  as in jobs/change-parts
--   KEYS[7]   directory entry of the session
--   KEYS[8]   removal of the tenant
--   ARGV[1]   job id
--   ARGV[2]   token of the run
--   ARGV[3]   how long the run holds the job unless it renews that, ms
--   ARGV[4]   how long an ended job is kept, ms
--   ARGV[5]   the error of a job whose session is gone, JSON
--   ARGV[6]   the error of a job that has expired, JSON
--   ARGV[7]   the error of a message that may have been sent, JSON
-- Returns {'claimed', session id}, {'later', ms until the job should be looked at again}, or {'ended'}.
-- @include redis/now
-- @include jobs/change-parts
local time = now()
local id = ARGV[1]
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return { 'ended' }
end
local job = read_job()
if is_held(job, time) and job.token ~= ARGV[2] then
  return { 'later', job['until'] - time }
end
local session, made, started = unpack(redis.call('HMGET', KEYS[1], 'session', 'sessionMade', 'startedAt'))
-- The edge that ran it died, or was too slow. A message that it was sending may have been sent.
local may_be_sent = (job.tries or 0) > 0
if not ACTIVE[job.state] then
  if may_be_sent then
    note_result(id, job, 'unknown', ARGV[7], time)
  end
  redis.call('HDEL', KEYS[1], 'token', 'until')
  return { 'ended' }
end
local is_orphan = redis.call('EXISTS', KEYS[8]) == 1 or (redis.call('HGET', KEYS[7], 'createdAt') or '') ~= made
if is_orphan or time >= job.expiresAt then
  local waited_for = redis.call('HGET', KEYS[1], 'waitsFor')
  if waited_for and not is_orphan then
    redis.call('HSET', KEYS[1], 'waitedFor', waited_for)
  end
  if may_be_sent then
    note_result(id, job, 'unknown', ARGV[7], time)
  end
  redis.call('HDEL', KEYS[1], 'token', 'until', 'sending')
  end_job(id, job, 'failed', is_orphan and ARGV[5] or ARGV[6], time, ARGV[4])
  return { 'ended' }
end
local wait = until_next(job, time)
if job.state == 'paused' or wait > 0 then
  return { 'later', wait }
end
redis.call('HSET', KEYS[1], 'state', 'running', 'token', ARGV[2], 'until', string.format('%.0f', time + ARGV[3]))
redis.call('HDEL', KEYS[1], 'sending')
if not started then
  redis.call('HSET', KEYS[1], 'startedAt', string.format('%.0f', time))
end
return { 'claimed', session }
