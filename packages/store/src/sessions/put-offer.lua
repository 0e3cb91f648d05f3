-- Shows the QR code or pairing code by which a session can be linked, until it expires. Replaces any earlier code.
--   KEYS[1]  owner record
--   KEYS[2]  the code to show
--   KEYS[3]  the code of the other kind, which is removed
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  how long until it expires, ms
--   ARGV[4…] field, value, field, value, …
-- Returns 1. Error FENCED.
-- @include sessions/fence
redis.call('DEL', KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
return redis.call('PEXPIRE', KEYS[2], ARGV[3])
