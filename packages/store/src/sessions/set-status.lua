-- Writes the status that a session's owner reports into the directory.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  status
--   ARGV[4]  reason, or ''
--   ARGV[5]  'keep', 'clear' or 'set' the phone number
--   ARGV[6]  phone number to set, or ''
--   ARGV[7]  the linked device to set with the number, or ''
--   ARGV[8]  'keep', 'clear' or 'set' the progress of the link
--   ARGV[9]  progress of the link to set, JSON, or ''
-- Returns {the device that the session does not have any more, or '', id of the call that created it, or ''}. Error
-- FENCED.
-- @include sessions/fence
-- @include sessions/write-status
write_status(KEYS[2], ARGV[3], ARGV[4])
local former = ''
if ARGV[5] == 'set' then
  redis.call('HSET', KEYS[2], 'phone', ARGV[6])
  if ARGV[7] ~= '' then
    former = redis.call('HGET', KEYS[2], 'device') or ''
    redis.call('HSET', KEYS[2], 'device', ARGV[7])
  end
elseif ARGV[5] == 'clear' then
  former = redis.call('HGET', KEYS[2], 'device') or ''
  -- What was imported is gone with them. The next link has keys of its own.
  redis.call('HDEL', KEYS[2], 'phone', 'device', 'importedAt')
end
if ARGV[8] == 'set' then
  redis.call('HSET', KEYS[2], 'link', ARGV[9])
elseif ARGV[8] == 'clear' then
  redis.call('HDEL', KEYS[2], 'link')
end
return { former ~= ARGV[7] and former or '', redis.call('HGET', KEYS[2], 'madeBy') or '' }
