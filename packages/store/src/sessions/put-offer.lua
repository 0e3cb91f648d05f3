-- Shows what a session is linked by, a QR code or a pairing code, until it expires, in place of what was shown before.
--   KEYS[1]  owner record
--   KEYS[2]  what is on show
--   KEYS[3]  what no longer is
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  how long until it expires, ms
--   ARGV[4…] field, value, field, value, …
-- Returns 1. Error FENCED.
-- @include sessions/fence
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
return redis.call('PEXPIRE', KEYS[2], ARGV[3])
