-- Takes the lease of a new worker incarnation.
--   KEYS[1]  lease
--   ARGV[1]  token of this attempt: the same attempt, sent twice over a broken connection, succeeds twice
--   ARGV[2]  life of the lease in ms
-- Returns 1, or 0 when somebody else has it.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
