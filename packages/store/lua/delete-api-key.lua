-- Deletes an API key.
--   KEYS[1]  API key
--   ARGV[1]  its id
-- Returns 1, or 0 when another key or none stands there.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
