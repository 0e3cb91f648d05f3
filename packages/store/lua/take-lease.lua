-- Takes a lease of a resource of one tenant, or takes one again that it has, for longer and with another weight.
--   KEYS[1]  limits of the tenant
--   KEYS[2]  leases, by when they run out
--   KEYS[3]  their weights
--   ARGV[1]  the lease
--   ARGV[2]  how long it holds, ms
--   ARGV[3]  its weight
--   ARGV[4]  name of the limit of how many there may be
--   ARGV[5]  that limit, of a tenant that has none of its own
--   ARGV[6]  name of the limit of their weights, or '' for none
--   ARGV[7]  that limit, of a tenant that has none of its own
-- Returns {0 when taken; 1 when there are too many, 2 when they weigh too much; how many there are; what they weigh; limit
-- of how many; limit of what they weigh}.
-- @include now
-- @include expire-leases
local time = now()
local count, total = expire_leases(KEYS[2], KEYS[3], time)
local limits = redis.call('HMGET', KEYS[1], ARGV[4], ARGV[6])
local most = tonumber(limits[1] or ARGV[5])
local heaviest = tonumber(limits[2] or ARGV[7])
local is_new = not redis.call('ZSCORE', KEYS[2], ARGV[1])
local weight = tonumber(ARGV[3])
local added = weight - tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '0')
if is_new and count + 1 > most then
  return { 1, count, total, most, heaviest }
end
if ARGV[6] ~= '' and added > 0 and total + added > heaviest then
  return { 2, count, total, most, heaviest }
end
redis.call('ZADD', KEYS[2], string.format('%.0f', time + ARGV[2]), ARGV[1])
if weight > 0 then
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
elseif added ~= 0 then
  redis.call('HDEL', KEYS[3], ARGV[1])
end
if added ~= 0 then
  total = redis.call('HINCRBY', KEYS[3], 'total', added)
end
for i = 2, 3 do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
end
return { 0, is_new and count + 1 or count, total, most, heaviest }
