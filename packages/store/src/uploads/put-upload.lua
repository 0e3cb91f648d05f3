-- Stores an upload of a session, in place of one of the same id.
--   KEYS[1]  directory entry of the session
--   KEYS[2]  uploads of the session, by their ids
--   KEYS[3]  the same ids, by when they expire, ms
--   ARGV[1]  id
--   ARGV[2]  description (JSON)
--   ARGV[3]  how long it is kept, ms
--   ARGV[4]  how many uploads a session may have
-- Records of another type are replaced, since they cannot be read.
-- Returns when it expires, ms; 0 if there is no such session, -1 if it has too many uploads.
-- @include redis/now
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local time = now()
local expired = redis.pcall('ZRANGEBYSCORE', KEYS[3], '-inf', time)
local known = redis.pcall('HEXISTS', KEYS[2], ARGV[1])
if expired.err or type(known) ~= 'number' then
  redis.call('DEL', KEYS[2], KEYS[3])
  expired, known = {}, 0
end
for _, id in ipairs(expired) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('ZREM', KEYS[3], id)
end
if known == 0 and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then
  return -1
end
local ends = time + ARGV[3]
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ends, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return ends
