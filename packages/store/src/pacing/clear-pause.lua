-- Forgets the refusals of WhatsApp and the pause that they led to.
--   KEYS[1]  owner record
--   KEYS[2]  the refusals and the pause
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
-- Returns whether there was something to forget. Error FENCED.
-- @include sessions/fence
return redis.call('DEL', KEYS[2])
