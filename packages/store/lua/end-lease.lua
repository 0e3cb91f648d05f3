-- Gives a lease back.
--   KEYS[1]  leases, by when they run out
--   KEYS[2]  their weights
--   ARGV[1]  the lease
-- Returns 1 when it was there, else 0.
local was_there = redis.call('ZREM', KEYS[1], ARGV[1])
local weight = redis.call('HGET', KEYS[2], ARGV[1])
if weight then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HINCRBY', KEYS[2], 'total', -tonumber(weight))
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
end
return was_there
