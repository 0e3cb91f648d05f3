-- Lets an export stand for longer. An edge that waits for it does so again and again: if it ends, the export ends.
--   KEYS[1]  directory entry
--   ARGV[1]  id of the export
--   ARGV[2]  how long it stands from now on, ms
-- Returns 1, or 0 if it was carried out, was taken back, or has ended.
-- @include redis/now
local entry = redis.call('HMGET', KEYS[1], 'exportId', 'exportBy', 'removeBy')
if entry[1] ~= ARGV[1] or entry[3] or (tonumber(entry[2]) or 0) <= now() then
  return 0
end
redis.call('HSET', KEYS[1], 'exportBy', string.format('%.0f', now() + ARGV[2]))
return 1
