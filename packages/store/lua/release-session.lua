-- Gives a session up: clears its worker and keeps its epoch, so that the fence refuses whatever comes later.
--   KEYS[1]  owner record
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
-- Returns 1. Error FENCED when somebody else owns the session.
-- @include fence
return redis.call('HDEL', KEYS[1], 'worker')
