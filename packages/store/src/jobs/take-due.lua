-- Takes jobs that are due, of different tenants first, and puts them off, so that no other process takes them meanwhile.
--   KEYS[1]  jobs by when they are due
--   KEYS[2]  tenants by when a job of theirs was last taken
--   ARGV[1]  how many to take at most
--   ARGV[2]  how long they are put off, ms
--   ARGV[3]  among how many it chooses
--   ARGV[4]  how long a turn is remembered, ms
--   ARGV[5]  how many jobs of a tenant the caller may have
--   ARGV[6…] tenants that it has jobs of, each with their number
-- Returns {ms until the next job is due or -1, score that the taken ones have now, taken jobs…}.
-- @include redis/now
-- @include redis/forget-unreadable
local time = now()
forget_unreadable(KEYS[1], 'zset')
forget_unreadable(KEYS[2], 'zset')
local room = {}
for place = 6, #ARGV, 2 do
  room[ARGV[place]] = ARGV[5] - ARGV[place + 1]
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time), 'LIMIT', 0, ARGV[3])
local lines, order = {}, {}
for _, member in ipairs(due) do
  local tenant = string.match(member, '^[^/]*')
  local line = lines[tenant]
  if not line then
    line = {}
    lines[tenant] = line
    order[#order + 1] = { tenant = tenant, last = tonumber(redis.call('ZSCORE', KEYS[2], tenant) or 0) }
  end
  if #line < (room[tenant] or tonumber(ARGV[5])) then
    line[#line + 1] = member
  end
end
-- Who has waited for a turn for the longest comes first. Equal ones stay in the order in which they were due.
for place, each in ipairs(order) do
  each.place = place
end
table.sort(order, function(a, b)
  if a.last ~= b.last then
    return a.last < b.last
  end
  return a.place < b.place
end)
local score = string.format('%.0f', time + ARGV[2])
local taken, round = {}, 1
local found = true
while found and #taken < tonumber(ARGV[1]) do
  found = false
  for _, each in ipairs(order) do
    local member = lines[each.tenant][round]
    if member and #taken < tonumber(ARGV[1]) then
      found = true
      taken[#taken + 1] = member
      redis.call('ZADD', KEYS[1], score, member)
      redis.call('ZADD', KEYS[2], string.format('%.0f', time), each.tenant)
    end
  end
  round = round + 1
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', time - ARGV[4]))
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
return { next and math.max(0, next - time) or -1, score, unpack(taken) }
