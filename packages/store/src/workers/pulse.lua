-- Defines pulse(key): notes that a process of the cluster could write to this Redis. Returns whether writing resumed
-- less than SETTLING_MS ago, after a silence of all processes. See worker-registry.ts.
--   key   pulse: at = time of the last write, back = time when writing resumed after a silence, both in ms
-- @include redis/now
-- @include redis/forget-unreadable
local SILENCE_MS = 6000
local SETTLING_MS = 8000
local function pulse(key)
  local time = now()
  forget_unreadable(key, 'hash')
  local seen = redis.call('HMGET', key, 'at', 'back')
  local at, back = tonumber(seen[1]) or time, tonumber(seen[2]) or 0
  if time - at > SILENCE_MS or time < at then
    back = time
  end
  redis.call('HSET', key, 'at', string.format('%.0f', time), 'back', string.format('%.0f', back))
  return time - back < SETTLING_MS
end
