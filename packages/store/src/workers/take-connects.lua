-- Takes tokens for connects to WhatsApp out of the bucket that all workers share, unless WhatsApp has refused this
-- version of the client. A bucket that was unused for long is full.
--   KEYS[1]  bucket
--   KEYS[2]  breaker of the client's version
--   ARGV[1]  number of connects that a person waits for
--   ARGV[2]  number of other connects
--   ARGV[3]  tokens that are added in a second, which is also the size of the bucket
--   ARGV[4]  tokens that the others leave to connects that a person waits for
--   ARGV[5]  how long a probe may take before another one is let through, ms
-- Returns {granted to people, granted to others, ms after which a retry may succeed, 'closed' | 'open' | 'probe'}.
-- A probe is the one connect that an open breaker lets through after its pause.
-- @include redis/now
-- @include redis/forget-unreadable
local urgent, others = tonumber(ARGV[1]), tonumber(ARGV[2])
local rate, reserve = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = now()

forget_unreadable(KEYS[1], 'hash')
forget_unreadable(KEYS[2], 'hash')
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = rate
if bucket[1] then
  -- The clock may have been set back.
  local elapsed = math.max(0, time - (tonumber(bucket[2]) or time))
  tokens = math.min(rate, (tonumber(bucket[1]) or rate) + elapsed * rate / 1000)
end

local function save(state, granted_urgent, granted_others, wait)
  tokens = tokens - granted_urgent - granted_others
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', time))
  redis.call('PEXPIRE', KEYS[1], 60000)
  return { granted_urgent, granted_others, math.ceil(wait), state }
end

local breaker = redis.call('HMGET', KEYS[2], 'until', 'probeUntil')
if breaker[1] then
  local closed_until = math.max(tonumber(breaker[1]) or 0, tonumber(breaker[2] or '0') or 0)
  if time < closed_until then
    return save('open', 0, 0, closed_until - time)
  end
  if tokens < 1 then
    return save('open', 0, 0, (1 - tokens) * 1000 / rate)
  end
  redis.call('HSET', KEYS[2], 'probeUntil', string.format('%.0f', time + ARGV[5]))
  return save('probe', urgent > 0 and 1 or 0, urgent > 0 and 0 or 1, tonumber(ARGV[5]))
end

local to_urgent = math.min(urgent, math.floor(tokens))
local to_others = math.max(0, math.min(others, math.floor(tokens - to_urgent - reserve)))
local missing = (urgent > to_urgent and 1 or 1 + reserve) - (tokens - to_urgent - to_others)
return save('closed', to_urgent, to_others, math.max(0, missing) * 1000 / rate)
