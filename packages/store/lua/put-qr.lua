-- Shows a session's QR code until it expires.
--   KEYS[1]  owner record
--   KEYS[2]  QR code on show
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  text of the code
--   ARGV[4]  when it expires, ms since 1970
--   ARGV[5]  how long until then, ms
-- Returns 1. Error FENCED.
-- @include fence
redis.call('HSET', KEYS[2], 'qr', ARGV[3], 'expiresAt', ARGV[4])
return redis.call('PEXPIRE', KEYS[2], ARGV[5])
