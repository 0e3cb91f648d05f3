-- Notes that a session has a device of an account, unless another session has it.
--   KEYS[1]  the device
--   ARGV[1]  session, as <tenant>/<id>
--   ARGV[2]  how long the note holds even if the session does not exist, ms; 0 for not at all
--   ARGV[3]  a session that does not have the device any more and loses it, or ''
--   ARGV[4]  id of the call that creates or created the session
-- Returns {1} if it is noted, {0, session, ms for which the note holds in any case} if another session has it.
-- @include redis/now
local known = redis.call('HMGET', KEYS[1], 'session', 'until', 'madeBy')
local held = math.max(0, (tonumber(known[2]) or 0) - now())
if known[1] and known[1] ~= ARGV[1] and (known[1] ~= ARGV[3] or held > 0) then
  return { 0, known[1], held }
end
-- A late note of a removed session must not end the reservation of the next one with its id.
if ARGV[2] == '0' and held > 0 and known[3] ~= ARGV[4] then
  return { 1 }
end
redis.call('HSET', KEYS[1], 'session', ARGV[1], 'until', string.format('%.0f', now() + tonumber(ARGV[2])),
  'madeBy', ARGV[4])
return { 1 }
