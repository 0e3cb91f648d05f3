-- Notes that a session's lists were filled from the account.
--   KEYS[1]  owner record
--   KEYS[2]  notes
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
-- Returns 1. Error FENCED.
-- @include sessions/fence
-- @include redis/call-replacing
call_replacing('HSET', KEYS[2], 'filled', '1')
return 1
