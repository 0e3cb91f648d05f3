-- Lets the token of a helper link live for a limited time only.
--   KEYS[1]  owner record
--   KEYS[2]  hash of the session's token
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  longest time that it may live from now on, ms
-- Returns 1 if its life was shortened, 0 if there is none, or if it ends earlier. Error FENCED.
-- @include sessions/fence
if redis.call('PTTL', KEYS[2]) <= tonumber(ARGV[3]) then
  return 0
end
return redis.call('PEXPIRE', KEYS[2], ARGV[3])
