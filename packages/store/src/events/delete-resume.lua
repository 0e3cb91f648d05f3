-- Deletes a client's record, so that the client cannot resume.
--   KEYS[1]  the client's record
--   ARGV[1]  prefix of the names of the tenant's keys
--   ARGV[2]  hash that names the record
-- Returns 1, or 0 if there is no record.
-- @include events/resume-index
local key = redis.call('HGET', KEYS[1], 'key')
if not key then
  return 0
end
forget_record(key, ARGV[2])
return 1
