-- Sets whether a session should be open or closed.
--   KEYS[1]  directory entry
--   ARGV[1]  'open' or 'closed'
-- Returns 1, or 0 if there is no such session.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'desired', ARGV[1])
return 1
