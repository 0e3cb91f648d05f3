-- Counts a wrong admin token of an address, for all edges together.
--   KEYS[1]  hash: `wrong`, how many tokens were wrong; `until`, when the next one is due, ms
--   ARGV[1]  how many may be wrong before the address has to wait
--   ARGV[2]  the first wait, ms; each further one is twice as long
--   ARGV[3]  the longest wait for one token, ms
--   ARGV[4]  the longest total wait, to which tokens tried at several edges can add up, ms
--   ARGV[5]  how long an address is remembered, ms
-- Returns {how many were wrong, how long the address has to wait, ms}.
-- @include redis/now
local time = now()
local longest, remember = tonumber(ARGV[4]), tonumber(ARGV[5])
local wrong = redis.call('HINCRBY', KEYS[1], 'wrong', 1)
local doubled = wrong - ARGV[1]
local wait = 0
if doubled >= 0 then
  -- Bounds the exponent. A double is exact beyond 2^30 too, but the exponent must not grow without a bound.
  wait = math.min(ARGV[2] * 2 ^ math.min(doubled, 30), tonumber(ARGV[3]))
end
local due = math.max(tonumber(redis.call('HGET', KEYS[1], 'until') or time), time)
due = math.min(due + wait, time + longest)
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', due))
redis.call('PEXPIRE', KEYS[1], remember)
return { wrong, math.ceil(due - time) }
