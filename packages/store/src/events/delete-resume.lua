-- Deletes what a client would go on with.
--   KEYS[1]  the client's record
--   ARGV[1]  what the names of the tenant's keys begin with
--   ARGV[2]  hash that names the record
-- Returns 1; 0 without a record.
-- @include events/resume-index
local key = redis.call('HGET', KEYS[1], 'key')
if not key then
  return 0
end
forget_record(key, ARGV[2])
return 1
