-- Defines read_pause(key), write_pause(key, pause, time, remembered) and answer(pause, time), for the refusals of WhatsApp
-- and the pause that they led to. A record that cannot be read counts as none. A pause that ends later than any can, as a
-- clock that was set back leaves it, ends after the longest one.
local LONGEST = 30 * 24 * 60 * 60 * 1000
local function read_pause(key)
  local stored = redis.pcall('HMGET', key, 'refusals', 'since', 'level', 'until', 'reason')
  if stored.err then
    stored = {}
  end
  return {
    refusals = tonumber(stored[1] or 0) or 0,
    since = tonumber(stored[2] or 0) or 0,
    level = tonumber(stored[3] or 0) or 0,
    until_ms = math.min(tonumber(stored[4] or 0) or 0, now() + LONGEST),
    reason = stored[5] or '',
  }
end
local function write_pause(key, pause, time, remembered)
  local whole = function(number)
    return string.format('%.0f', number)
  end
  redis.call('DEL', key)
  redis.call('HSET', key, 'refusals', pause.refusals, 'since', whole(pause.since), 'level', pause.level,
    'until', whole(pause.until_ms), 'reason', pause.reason)
  redis.call('PEXPIRE', key, whole(math.max(pause.until_ms - time, 0) + remembered))
end
local function answer(pause, time)
  return {math.max(pause.until_ms - time, 0), pause.until_ms, pause.level, pause.refusals, pause.reason}
end
