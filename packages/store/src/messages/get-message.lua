-- Finds a message that put-message kept.
--   KEYS[1…] the buckets of the session
--   ARGV[1]  field: the message's key
-- Returns the sealed message, the latest if there are several, or false.
-- @include redis/now
local today = math.floor(now() / (24 * 60 * 60 * 1000))
for age = 0, #KEYS - 1 do
  -- A bucket of another type answers an error and counts as empty.
  local sealed = redis.pcall('HGET', KEYS[1 + (today - age) % #KEYS], ARGV[1])
  if type(sealed) == 'string' then
    return sealed
  end
end
return false
