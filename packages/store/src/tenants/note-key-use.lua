-- Notes when an API key was last used.
--   KEYS[1]  API key
--   ARGV[1]  its id
--   ARGV[2]  now, ms
-- Returns 1, or 0 if KEYS[1] holds another key or none.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'lastUsedAt', ARGV[2])
return 1
