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
-- Returns 1, or 0 if the export was taken back; nothing is written then. Error FENCED.
-- @include sessions/fence
-- @include sessions/write-status
if redis.call('HGET', KEYS[2], 'exportId') ~= ARGV[3] then
  return 0
end
redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4])
redis.call('HDEL', KEYS[2], 'exportId', 'exportBy', 'exportKey')
if ARGV[6] == '1' then
  redis.call('HSET', KEYS[2], 'desired', 'closed')
  write_status(KEYS[2], 'closed', 'exported')
  -- The first synchronisation of a link may still have been under way.
  redis.call('HDEL', KEYS[2], 'link')
end
return 1
