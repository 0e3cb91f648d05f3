-- The fence: the first lines of every script that writes a session's state.
--   KEYS[1]  owner record
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
-- Returns the error FENCED, before anything is written, unless epoch and worker equal those of the owner record. Also
-- returns it if the record is missing or names no worker. owner[3] is the record's last batch of events, for the script
-- that appends them.
local owner = redis.call('HMGET', KEYS[1], 'epoch', 'worker', 'batch')
if owner[1] ~= ARGV[1] or owner[2] ~= ARGV[2] then
  return redis.error_reply('FENCED the claim is not the latest one')
end
