-- Checks the workers' lifelines and ends the leases of workers whose death they prove. See failure-detector.ts.
--   KEYS[1]  heartbeats
--   KEYS[2]  lifelines: what earlier looks saw, and the run of the server in which they saw it
--   KEYS[3…] lease, channel, lease, channel, … of the workers
--   ARGV[1]  how long a lifeline must be gone if others stayed open all the time (witnesses), ms
--   ARGV[2]  how long it must be gone without witnesses, ms
--   ARGV[3…] worker, token of its lifeline, worker, token, …, in the order of the keys
-- Returns the dead workers. A field of the lifelines: `<token> <first seen open, ms> <first seen gone, ms, or 0>`.
-- @include redis/now
-- @include redis/forget-unreadable

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
forget_unreadable(KEYS[2], 'hash')
if redis.call('HGET', KEYS[2], 'run') ~= run then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], 'run', run)
end

local time = now()
local known, open, gone = { run = true }, {}, {}
for i = 3, #ARGV, 2 do
  local worker, token, lease, channel = ARGV[i], ARGV[i + 1], KEYS[i], KEYS[i + 1]
  known[worker] = true
  local seen_token, since, gone_at =
    string.match(redis.call('HGET', KEYS[2], worker) or '', '^(%S+) (%d+) (%d+)$')
  local heartbeat = redis.call('HGET', KEYS[1], worker)
  local is_latest = heartbeat and string.find(heartbeat, token, 1, true)
  if redis.call('PUBSUB', 'SHARDNUMSUB', channel)[2] > 0 then
    if seen_token ~= token or gone_at ~= '0' then
      since = string.format('%.0f', time)
      redis.call('HSET', KEYS[2], worker, token .. ' ' .. since .. ' 0')
    end
    open[#open + 1] = tonumber(since)
  elseif is_latest and seen_token == token then
    if gone_at == '0' then
      gone_at = string.format('%.0f', time)
      redis.call('HSET', KEYS[2], worker, token .. ' ' .. since .. ' ' .. gone_at)
    end
    gone[#gone + 1] = { worker = worker, lease = lease, at = tonumber(gone_at) }
  end
end

local dead = {}
for _, one in ipairs(gone) do
  local witnesses = 0
  for _, since in ipairs(open) do
    if since < one.at then
      witnesses = witnesses + 1
    end
  end
  local age = time - one.at
  local is_proven = age >= tonumber(ARGV[1]) and witnesses >= #gone
  local is_left_behind = age >= tonumber(ARGV[2]) and #gone <= math.max(1, #open)
  if is_proven or is_left_behind then
    dead[#dead + 1] = one.worker
    known[one.worker] = nil
    redis.call('DEL', one.lease)
    redis.call('HDEL', KEYS[1], one.worker)
  end
end

for _, worker in ipairs(redis.call('HKEYS', KEYS[2])) do
  if not known[worker] then
    redis.call('HDEL', KEYS[2], worker)
  end
end
return dead
