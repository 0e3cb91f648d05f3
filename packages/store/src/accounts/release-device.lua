-- Removes the note that a session has a device of an account.
--   KEYS[1]  the device
--   ARGV[1]  session, as <tenant>/<id>
-- Returns 1, or 0 if another session has the device or none has.
if redis.call('HGET', KEYS[1], 'session') ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
