-- Enters sessions into a line: the sessions of one tenant that wait for a placement for the same reason.
--   KEYS[1]  line: a sorted set of session ids by the time of entry
--   ARGV[1]  how long an entry counts if it is not removed, ms
--   ARGV[2…] session ids
-- Returns for each session the length of the line when it entered, itself included.
-- @include redis/now
-- @include redis/forget-unreadable
local time = now()
forget_unreadable(KEYS[1], 'zset')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time - ARGV[1]))
local length = redis.call('ZCARD', KEYS[1])
local ranks = {}
for i = 2, #ARGV do
  length = length + redis.call('ZADD', KEYS[1], 'NX', string.format('%.0f', time), ARGV[i])
  ranks[#ranks + 1] = length
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return ranks
