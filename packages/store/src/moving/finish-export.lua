-- Hands a session's bundle to the edge that asked for it, and closes the session. Or says why there is no bundle.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  what becomes of the export
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  id of the export
--   ARGV[4]  how long the edge may take to fetch it, ms
--   ARGV[5]  the outcome
--   ARGV[6]  '1' if it is the bundle and the session is to be closed
-- Returns 1, or 0 if the export was taken back, its time is over, or the session is being removed; nothing is handed out
-- then. The call may be sent again after its answer was lost: a bundle that was handed out gets the same answer. Error
-- FENCED.
-- @include sessions/fence
-- @include sessions/write-status
local entry = redis.call('HMGET', KEYS[2], 'exportId', 'exportBy', 'removeBy', 'handedOut')
if entry[4] == ARGV[3] then
  return 1
end
if entry[1] ~= ARGV[3] then
  return 0
end
redis.call('HDEL', KEYS[2], 'exportId', 'exportBy', 'exportKey')
-- A removal logs the device out, and no edge waits for the bundle after the time.
if entry[3] or (tonumber(entry[2]) or 0) <= now() then
  return 0
end
redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4])
if ARGV[6] == '1' then
  redis.call('HSET', KEYS[2], 'desired', 'closed', 'handedOut', ARGV[3])
  write_status(KEYS[2], 'closed', 'exported')
  -- The first synchronisation of a link may still have been under way.
  redis.call('HDEL', KEYS[2], 'link')
end
return 1
