-- Writes a session's credentials: all fields or none.
--   KEYS[1]  owner record
--   KEYS[2]  credentials
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  how many fields to set
--   ARGV[4…] field, value, field, value, …, then the fields to delete
-- Returns 1. Error FENCED.
-- @include sessions/fence

-- unpack accepts a few thousand values at most.
local CHUNK = 1000
local function each_chunk(command, from, to)
  for i = from, to, CHUNK do
    redis.call(command, KEYS[2], unpack(ARGV, i, math.min(i + CHUNK - 1, to)))
  end
end

local last_set = 3 + 2 * tonumber(ARGV[3])
each_chunk('HSET', 4, last_set)
each_chunk('HDEL', last_set + 1, #ARGV)
return 1
