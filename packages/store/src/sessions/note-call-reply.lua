-- Notes that a session is about to send a message to somebody whose call it rejected.
--   KEYS[1]  owner record
--   KEYS[2]  callers who were sent a message, by when
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  digest of the caller
--   ARGV[4]  how long a caller is sent nothing more, ms
--   ARGV[5]  how many callers are sent a message in that time
-- Returns 1, or 0 if the caller was noted within that time or there are too many. Error FENCED.
-- @include sessions/fence
-- @include redis/now
local time = now()
local dropped = redis.pcall('ZREMRANGEBYSCORE', KEYS[2], '-inf', time - ARGV[4])
if type(dropped) ~= 'number' then
  -- A record of another type cannot be read, and is replaced.
  redis.call('DEL', KEYS[2])
end
if redis.call('ZSCORE', KEYS[2], ARGV[3]) or redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
  return 0
end
redis.call('ZADD', KEYS[2], time, ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
