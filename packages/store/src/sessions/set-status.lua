-- Writes the status that a session's owner reports into the directory.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  status
--   ARGV[4]  reason, or ''
--   ARGV[5]  'keep', 'clear' or 'set' the phone number
--   ARGV[6]  phone number to set, or ''
--   ARGV[7]  'keep', 'clear' or 'set' the progress of the link
--   ARGV[8]  progress of the link to set, JSON, or ''
-- Returns 1. Error FENCED.
-- @include sessions/fence
-- @include sessions/write-status
write_status(KEYS[2], ARGV[3], ARGV[4])
if ARGV[5] == 'set' then
  redis.call('HSET', KEYS[2], 'phone', ARGV[6])
elseif ARGV[5] == 'clear' then
  redis.call('HDEL', KEYS[2], 'phone')
end
if ARGV[7] == 'set' then
  redis.call('HSET', KEYS[2], 'link', ARGV[8])
elseif ARGV[7] == 'clear' then
  redis.call('HDEL', KEYS[2], 'link')
end
return 1
