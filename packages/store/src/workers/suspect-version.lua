-- Notes that no phone was linked with a version of the client, and asks for a look at WhatsApp's page.
--   KEYS[1]  versions of the client
--   ARGV[1]  version
--   ARGV[2]  '1' if a phone tried to link a client of this version, '0' if that is not known
--   ARGV[3]  the least time since the last look if it is not known, ms
-- Returns 0.
-- @include redis/now
-- @include workers/read-versions
local time = now()
local _, fields = read_versions(KEYS[1])
local is_certain = ARGV[2] == '1'
if is_certain or time - (tonumber(fields.attemptAt) or 0) > tonumber(ARGV[3]) then
  save_field(KEYS[1], 'askedAt', time)
end
if is_certain then
  if fields.linking == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'linking')
  elseif not fields.current or fields.current == ARGV[1] then
    save_field(KEYS[1], 'suspectedAt', time)
  end
end
return 0
