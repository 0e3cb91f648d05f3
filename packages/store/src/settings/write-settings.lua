-- Replaces what is stored of a session's settings, and its name.
--   KEYS[1]  directory entry of the session
--   KEYS[2]  settings of the session
--   ARGV[1]  the version that was read, 0 if there was none
--   ARGV[2]  'keep', 'clear' or 'set' the name
--   ARGV[3]  name to set, or ''
--   ARGV[4]  the readable part, JSON
--   ARGV[5]  'keep', 'clear' or 'set' the proxy
--   ARGV[6]  sealed proxy to set, or ''
-- Returns the new version, 0 if there is no such session, or -1 if it was changed since it was read.
-- @include redis/now
-- @include redis/count-in
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local stored = redis.pcall('HGET', KEYS[2], 'version')
local version = count_in(stored)
if (version or 0) ~= tonumber(ARGV[1]) then
  return -1
end
if type(stored) == 'table' then
  -- A record of another type cannot be read, and is replaced.
  redis.call('DEL', KEYS[2])
end
if not version and stored then
  -- The last version cannot be read. The current time in ms is greater than every counted version.
  version = now()
end
if ARGV[2] == 'set' then
  redis.call('HSET', KEYS[1], 'name', ARGV[3])
elseif ARGV[2] == 'clear' then
  redis.call('HDEL', KEYS[1], 'name')
end
version = (version or 0) + 1
redis.call('HSET', KEYS[2], 'plain', ARGV[4], 'version', string.format('%.0f', version))
if ARGV[5] == 'set' then
  redis.call('HSET', KEYS[2], 'proxy', ARGV[6])
elseif ARGV[5] == 'clear' then
  redis.call('HDEL', KEYS[2], 'proxy')
end
return version
