-- Changes fields of an API key.
--   KEYS[1]  API key
--   ARGV[1]  its id
--   ARGV[2]  when it is to be forgotten, ms since 1970; '' for never
--   ARGV[3…] fields and their new values; '' removes a field
-- Returns 1, or 0 if KEYS[1] holds another key or none.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then
  return 0
end
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
if ARGV[2] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[2])
end
return 1
