-- Notes people who have a chat with the account. The ones that were seen longest ago give way.
--   KEYS[1]  owner record
--   KEYS[2]  digests of the people who have a chat with the account, by when that was last seen
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  how long a person is remembered, ms
--   ARGV[4]  how many digests are remembered
--   ARGV[5…] digests
-- Returns 1. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include redis/call-replacing
local time = now()
call_replacing('ZREMRANGEBYSCORE', KEYS[2], '-inf', time - ARGV[3])
for index = 5, #ARGV do
  redis.call('ZADD', KEYS[2], time, ARGV[index])
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -ARGV[4] - 1)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
