-- Deletes keys of a session.
--   KEYS[1]  owner record
--   KEYS[2…] keys to delete
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
-- Returns how many there were. Error FENCED.
-- @include sessions/fence
return redis.call('UNLINK', unpack(KEYS, 2))
