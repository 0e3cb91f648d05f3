-- Notes the outcome of a look at WhatsApp's page for the newest version of the client.
--   KEYS[1]  versions of the client
--   ARGV[1]  the version that it names; '' if it could not be read
--   ARGV[2]  why it could not be read
--   ARGV[3]  how much the last number of a version may exceed that of the current one
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
if current and parts_of(version)[3] - parts_of(current)[3] > tonumber(ARGV[3]) then
  return failed('the page names ' .. version .. ', which cannot be right', 'implausible')
end
save_field(KEYS[1], 'checkedAt', time)
redis.call('HDEL', KEYS[1], 'checkError')
if versions[version] then
  return 'known'
end
if current and is_newer(current, version) then
  return 'older'
end
versions[version] = { state = 'known', at = time, foundAt = time, tries = {} }
save_version(KEYS[1], version, versions[version])
forget_old_versions(KEYS[1], versions, current, time)
return 'new'
