-- Writes fields of what a client goes on with when it comes back.
--   KEYS[1]   the client's record
--   ARGV[1]   how long to keep it, ms
--   ARGV[2…]  fields, each with its value
-- Returns 1.
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
