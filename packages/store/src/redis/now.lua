-- Defines now(): milliseconds since 1970 by the clock of Redis, the only clock that all machines share.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
