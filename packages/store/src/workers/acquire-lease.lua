-- Takes the lease of a new worker incarnation and its identity, which no two living workers may share.
--   KEYS[1]  lease
--   KEYS[2]  identity: the incarnation that has it
--   KEYS[3]  lease of the incarnation that the claimer found to have the identity
--   ARGV[1]  token of this attempt: the same attempt, sent twice over a broken connection, succeeds twice
--   ARGV[2]  life of the lease in ms
--   ARGV[3]  incarnation
--   ARGV[4]  incarnation that the claimer found to have the identity, or ''
-- Returns 1, or 0 if another attempt has the lease, or another living incarnation has the identity.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
local namesake = redis.call('GET', KEYS[2])
if namesake and namesake ~= ARGV[3] and (namesake ~= ARGV[4] or redis.call('EXISTS', KEYS[3]) == 1) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
return 1
