-- Keeps what a client is subscribed to, and from which position it is to go on.
--   KEYS[1]  the client's record
--   ARGV[1]  how long to keep it, ms
--   ARGV[2]  id of its API key
--   ARGV[3]  subscription
--   ARGV[4]  position
-- Returns 1.
redis.call('HSET', KEYS[1], 'key', ARGV[2], 'subscription', ARGV[3], 'position', ARGV[4])
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
