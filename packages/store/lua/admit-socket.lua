-- Lets an edge have one socket more of an API key, if all edges that run have fewer than the limit together.
--   KEYS[1]  until when each edge counts as running
--   KEYS[2]  how many sockets of the key each edge has
--   ARGV[1]  the edge
--   ARGV[2]  how many it has, without the new one
--   ARGV[3]  how many all may have together
--   ARGV[4]  how long the counts are kept, ms
-- Returns {1 when the socket is let in, else 0; how many the other edges have}.
-- @include now
local time = now()
local others = 0
local counts = redis.call('HGETALL', KEYS[2])
for i = 1, #counts, 2 do
  local edge, count = counts[i], tonumber(counts[i + 1])
  if edge ~= ARGV[1] then
    if tonumber(redis.call('ZSCORE', KEYS[1], edge) or '0') > time then
      others = others + count
    else
      redis.call('HDEL', KEYS[2], edge)
    end
  end
end
if others + ARGV[2] + 1 > tonumber(ARGV[3]) then
  return { 0, others }
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] + 1)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return { 1, others }
