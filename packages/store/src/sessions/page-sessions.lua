-- Tells which of a tenant's sessions come next in the order in which they were made, those of the same moment by id.
-- A directory from before that order was kept, or that a process of that time wrote to, has it made up first. So has one
-- whose order is of another type. A session whose record cannot be read comes first.
--   KEYS[1]   ids of the tenant's sessions
--   KEYS[2]   the same ids, by when the sessions were made
--   ARGV[1]   prefix of the directory entries' keys, which are in the slot of the others
--   ARGV[2]   how many at most; 0 for those in the list
--   ARGV[3]   after which moment, ms, or '' for the first ones
--   ARGV[4]   after which id of that moment
--   ARGV[5…]  a list of ids: for the moments of those
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
