-- Returns the next of a tenant's sessions in the order of their creation; sessions of the same moment are ordered by
-- id. The order is rebuilt first if it is missing or incomplete, because a release without it wrote the directory, or
-- if it has another type. A session whose record cannot be read comes first.
--   KEYS[1]   ids of the tenant's sessions
--   KEYS[2]   the same ids, by when the sessions were made
--   ARGV[1]   prefix of the directory entries' keys, which are in the slot of the others
--   ARGV[2]   maximum number of sessions; 0 for those in the list
--   ARGV[3]   the moment after which to begin, ms, or '' for the first sessions
--   ARGV[4]   the id within that moment after which to begin
--   ARGV[5…]  a list of ids whose moments to return
-- Returns {id, ms, id, ms, …}; of a list those that exist, in the order of the list.
-- @include redis/count-in
if redis.call('SCARD', KEYS[1]) ~= redis.pcall('ZCARD', KEYS[2]) then
  redis.call('DEL', KEYS[2])
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local created = count_in(redis.pcall('HGET', ARGV[1] .. id, 'createdAt'))
    redis.call('ZADD', KEYS[2], string.format('%.0f', created or 0), id)
  end
end
if ARGV[2] == '0' then
  local found = {}
  for i = 5, #ARGV do
    local at = redis.call('ZSCORE', KEYS[2], ARGV[i])
    if at then
      found[#found + 1] = ARGV[i]
      found[#found + 1] = at
    end
  end
  return found
end
local first = 0
if ARGV[3] ~= '' then
  first = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. ARGV[3])
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], ARGV[3], ARGV[3], 'BYSCORE')) do
    if id <= ARGV[4] then
      first = first + 1
    end
  end
end
return redis.call('ZRANGE', KEYS[2], first, first + ARGV[2] - 1, 'WITHSCORES')
