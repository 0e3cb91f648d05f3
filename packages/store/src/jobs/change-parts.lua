-- Defines what the scripts share that change a job. Their first keys are:
--   KEYS[1]  record of the job
--   KEYS[2]  its messages
--   KEYS[3]  its results
--   KEYS[4]  active jobs of the tenant, by when they expire
--   KEYS[5]  ended jobs of the tenant, by when they ended
--   KEYS[6]  sizes of the tenant's jobs
-- @include jobs/size-of-jobs
local ACTIVE = { scheduled = true, running = true, paused = true }

-- The fields of the record: numbers as numbers, nil if a field is missing.
local function read_job()
  local names = { 'state', 'token', 'until', 'sending', 'next', 'total', 'tries', 'waits', 'at', 'expiresAt', 'nextAt' }
  local values = redis.call('HMGET', KEYS[1], unpack(names))
  local job = {}
  for place, name in ipairs(names) do
    local value = values[place]
    if value then
      job[name] = place > 2 and (count_in(value) or 0) or value
    end
  end
  return job
end

-- Whether a run of the job goes on.
local function is_held(job, time)
  return job.token ~= nil and (job['until'] or 0) > time
end

-- Writes what became of the message whose turn it is. `err` is JSON, or ''.
local function note_result(id, job, state, err, time)
  -- If the results are lost or damaged, the job goes on without them.
  local entry = redis.pcall('LINDEX', KEYS[3], job.next)
  local to = type(entry) == 'string' and string.match(entry, '^[^\n]*') or ''
  redis.pcall('LSET', KEYS[3], job.next, to .. '\n' .. state .. '\n' .. string.format('%.0f', time) .. '\n' .. err)
  redis.call('HINCRBY', KEYS[1], state, 1)
  job.next = job.next + 1
  redis.call('HSET', KEYS[1], 'next', job.next)
  redis.call('HDEL', KEYS[1], 'sending', 'tries', 'waits', 'waitsFor')
  job.sending, job.tries = nil, nil
  add_size(id, #err)
end

-- Ends the job. Its messages are deleted, its results are kept for `kept` ms.
local function end_job(id, job, state, err, time, kept)
  local freed = count_in(redis.call('HGET', KEYS[1], 'textBytes')) or 0
  redis.call('HSET', KEYS[1], 'state', state, 'endedAt', string.format('%.0f', time))
  if err ~= '' then
    redis.call('HSET', KEYS[1], 'error', err)
  end
  redis.call('HDEL', KEYS[1], 'nextAt', 'waitsFor', 'textBytes')
  redis.call('UNLINK', KEYS[2])
  add_size(id, -freed)
  redis.pcall('ZREM', KEYS[4], id)
  redis.pcall('ZADD', KEYS[5], string.format('%.0f', time), id)
  redis.call('PEXPIRE', KEYS[1], kept)
  redis.call('PEXPIRE', KEYS[3], kept)
  job.state = state
end

-- ms until a run can go on: -1 if the job has ended.
local function until_next(job, time)
  if not ACTIVE[job.state] then
    return -1
  end
  local next = job.state == 'paused' and job.expiresAt or math.min(job.expiresAt, math.max(job.at, job.nextAt or 0))
  return math.max(0, next - time)
end
