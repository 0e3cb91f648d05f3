-- Defines count_others(edges, counts, edge, time): the sum of the counts of all running edges except `edge`. Forgets
-- the counts of edges that do not run.
local function count_others(edges, counts, self, time)
  local others = 0
  local all = redis.call('HGETALL', counts)
  for i = 1, #all, 2 do
    if all[i] ~= self then
      if tonumber(redis.call('ZSCORE', edges, all[i]) or '0') > time then
        others = others + (tonumber(all[i + 1]) or 0)
      else
        redis.call('HDEL', counts, all[i])
      end
    end
  end
  return others
end
