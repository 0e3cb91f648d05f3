-- Lets leases hold for longer. One that ran out meanwhile counts again, with the weight that it was taken with, 0 if that
-- is forgotten.
--   KEYS[1]  leases, by when they run out
--   KEYS[2]  their weights
--   ARGV[1]  how long they hold, ms
--   ARGV[2…] the leases
-- Returns how many they are.
-- @include now
local till = string.format('%.0f', now() + ARGV[1])
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], till, ARGV[i])
end
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
  end
end
return #ARGV - 1
