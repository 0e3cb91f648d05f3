-- Postpones the next attempt to remove a session. The pause doubles after each failed attempt, and ends at the latest
-- when the session is removed in any case.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  pause after the first attempt, ms; doubled after each further one
--   ARGV[4]  longest pause, ms
-- Returns {failed attempts, earliest time of the next one in ms since 1970}, or {} if the session is no longer to be
-- removed. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include redis/count-in
local by = redis.call('HGET', KEYS[2], 'removeBy')
if not by then
  return {}
end
-- A count that cannot be read starts again at 0. Without a pause every sweep would retry.
local attempts = (count_in(redis.call('HGET', KEYS[2], 'removeAttempts')) or 0) + 1
local pause = math.min(tonumber(ARGV[4]), ARGV[3] * 2 ^ (attempts - 1))
local after = string.format('%.0f', math.min(now() + pause, tonumber(by) or 0))
redis.call('HSET', KEYS[2], 'removeAttempts', attempts, 'removeAfter', after)
return { attempts, tonumber(after) }
