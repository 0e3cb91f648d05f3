-- Takes the note back that a session's credentials are to be handed out, unless that has happened.
--   KEYS[1]  directory entry
--   ARGV[1]  id of the export
-- Returns 1, or 0 if the note is gone.
if redis.call('HGET', KEYS[1], 'exportId') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'exportId', 'exportBy', 'exportKey')
return 1
