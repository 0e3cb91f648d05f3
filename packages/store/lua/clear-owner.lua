-- Takes a session from a worker that is dead. Its epoch stays, so that the fence refuses whatever that one still writes.
--   KEYS[1]  owner record
--   ARGV[1]  the dead worker
-- Returns 1, or 0 when the session is not that worker's.
if redis.call('HGET', KEYS[1], 'worker') ~= ARGV[1] then
  return 0
end
return redis.call('HDEL', KEYS[1], 'worker')
