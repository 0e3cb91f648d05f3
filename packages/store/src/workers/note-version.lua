-- Notes the outcome of a look at WhatsApp's page for the newest version of the client.
--   KEYS[1]  versions of the client
--   ARGV[1]  the version that it names; '' if it could not be read
--   ARGV[2]  why it could not be read
-- Returns 'new', 'known', 'older' (than the one in use), 'implausible' or 'failed'.
-- @include redis/now
-- @include workers/read-versions
local version, time = ARGV[1], now()
local versions, fields = read_versions(KEYS[1])
local current = fields.current

local function failed(why, outcome)
  save_field(KEYS[1], 'checkError', why)
  return outcome
end

if version == '' then
  return failed(ARGV[2], 'failed')
end
if current and not is_plausible(version, current) then
  return failed('the page names ' .. version .. ', which cannot be right', 'implausible')
end
save_field(KEYS[1], 'checkedAt', time)
save_field(KEYS[1], 'named', version)
redis.call('HDEL', KEYS[1], 'checkError')
if versions[version] then
  return 'known'
end
-- An older one is kept as well: it is what is left if WhatsApp has withdrawn the version in use.
versions[version] = new_record(time)
save_version(KEYS[1], version, versions[version])
forget_old_versions(KEYS[1], versions, current, version, time)
return current and is_newer(current, version) and 'older' or 'new'
