-- Removes the note that a session has a device of an account, or gives it to the session that has its id now.
--   KEYS[1]  the device
--   ARGV[1]  session, as <tenant>/<id>
--   ARGV[2]  id of the call that created the session
--   ARGV[3]  id of the call that created the session which keeps the device, or ''
-- Returns 1, or 0 if another session has the device or none has. A later session of the same id is another one.
-- @include redis/now
local known = redis.call('HMGET', KEYS[1], 'session', 'madeBy', 'until')
if known[1] ~= ARGV[1] or (known[2] and known[2] ~= ARGV[2]) then
  return 0
end
-- A reservation of an earlier release does not say for which session of the id it is.
if not known[2] and (tonumber(known[3]) or 0) > now() then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'until', '0', 'madeBy', ARGV[3])
end
return 1
