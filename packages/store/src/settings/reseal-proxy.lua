-- Replaces the sealed proxy of a session, unless it was changed meanwhile.
--   KEYS[1]  settings of the session
--   ARGV[1]  the value that was read
--   ARGV[2]  the same, sealed for another key
-- Returns 1, or 0 if the stored value is another one.
if redis.pcall('HGET', KEYS[1], 'proxy') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'proxy', ARGV[2])
return 1
