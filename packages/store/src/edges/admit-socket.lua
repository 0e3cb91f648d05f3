-- Admits one more socket of an edge, if all running edges together are below the limit of each count.
--   KEYS[1]   until when each edge counts as running
--   KEYS[2…]  counts: how many sockets of one kind each edge has
--   ARGV[1]   the edge
--   ARGV[2]   how long the counts are kept, ms
--   ARGV[3…]  for each count: how many this edge has, without the new one; how many all may have together
-- Returns {0 if the socket is admitted, else the number of the full count, from 1; for each count how many sockets the
-- other edges have}.
-- @include redis/now
-- @include edges/edge-counts
-- @include redis/forget-unreadable
local time = now()
local answer = { 0 }
forget_unreadable(KEYS[1], 'zset')
for i = 2, #KEYS do
  forget_unreadable(KEYS[i], 'hash')
  local others = count_others(KEYS[1], KEYS[i], ARGV[1], time)
  answer[#answer + 1] = others
  if answer[1] == 0 and others + ARGV[2 * i - 1] + 1 > tonumber(ARGV[2 * i]) then
    answer[1] = i - 1
  end
end
if answer[1] > 0 then
  return answer
end
for i = 2, #KEYS do
  redis.call('HSET', KEYS[i], ARGV[1], ARGV[2 * i - 1] + 1)
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return answer
