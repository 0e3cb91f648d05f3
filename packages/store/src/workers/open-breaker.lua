-- Opens the breaker of a client version that WhatsApp has refused, or extends its pause after a failed probe. Refusals
-- of connects that were under way when it opened change nothing.
--   KEYS[1]  breaker
--   ARGV[1]  '1' if the refused connect was a probe, else '0'
--   ARGV[2]  first pause, ms; each later one is twice as long
--   ARGV[3]  longest pause, ms
--   ARGV[4]  how long the breaker stays without any probe, ms
-- Returns the rest of the pause, ms.
-- @include redis/now
local time = now()
local open_until = redis.call('HGET', KEYS[1], 'until')
if open_until and ARGV[1] ~= '1' then
  return math.max(0, tonumber(open_until) - time)
end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local pause = math.min(tonumber(ARGV[3]), tonumber(ARGV[2]) * 2 ^ math.min(failures - 1, 30))
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', time + pause))
redis.call('HDEL', KEYS[1], 'probeUntil')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return pause
