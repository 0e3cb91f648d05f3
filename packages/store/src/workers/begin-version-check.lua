-- Begins a look at WhatsApp's page for the newest version of the client, if one is due.
--   KEYS[1]  versions of the client
--   ARGV[1]  time between two looks, ms
--   ARGV[2]  time after a look that failed, ms
--   ARGV[3]  least time between two looks, also if a worker asks for one, ms
-- Returns 1 if the caller is to look, else 0.
-- @include redis/now
-- @include workers/read-versions
local time = now()
local _, fields = read_versions(KEYS[1])
local attempted = tonumber(fields.attemptAt) or 0
-- The clock was set back.
if attempted > time then
  attempted = 0
end
local every = fields.checkError and tonumber(ARGV[2]) or tonumber(ARGV[1])
local is_asked = (tonumber(fields.askedAt) or 0) >= attempted
local is_answered = fields.checkError or (tonumber(fields.checkedAt) or 0) >= attempted
local wait = (is_asked or not is_answered) and tonumber(ARGV[3]) or every
if attempted > 0 and time - attempted < wait then
  return 0
end
save_field(KEYS[1], 'attemptAt', time)
redis.call('HDEL', KEYS[1], 'askedAt')
return 1
