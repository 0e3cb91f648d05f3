-- Renews or ends what a run holds of a job.
--   KEYS[1]  record of the job
--   ARGV[1]  token of the run
--   ARGV[2]  how long it holds the job from now on, ms; 0 to end the run
-- Returns {'held' or 'lost', ms until the job goes on or -1 if it has ended}.
-- @include redis/now
-- @include jobs/change-parts
local time = now()
local job = read_job()
if job.token ~= ARGV[1] then
  return { 'lost', -1 }
end
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[1], 'token', 'until')
else
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', time + ARGV[2]))
end
return { 'held', until_next(job, time) }
