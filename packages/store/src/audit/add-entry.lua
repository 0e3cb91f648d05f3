-- Adds an entry to an audit log, in place of an earlier one, and trims the log.
--   KEYS[1]  audit log
--   ARGV[1]  entry
--   ARGV[2]  id of the entry that it replaces, or ''
--   ARGV[3]  maximum number of entries, about
--   ARGV[4]  maximum age of an entry, ms
-- Returns the id of the entry: the time, ms, and a number; '' if ARGV[2] is not there, because it was replaced by this
-- command, which was sent again after its answer was lost.
-- @include redis/now
if ARGV[2] ~= '' and redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then
  return ''
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'entry', ARGV[1])
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now() - ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return id
