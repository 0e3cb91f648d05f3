-- Returns the sealed entries of a list that have these ids, nil for those that there are not.
--   KEYS[1]  list
--   ARGV     ids
-- A key of another type counts as empty.
local found = redis.pcall('HMGET', KEYS[1], unpack(ARGV))
return found.err and {} or found
