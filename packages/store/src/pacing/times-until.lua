-- Defines drop_old(key, window, time): prepares a sorted set of digests by time, ms, for the window that ends now, and returns
-- how many it has. A record of another type is replaced. Times in the future, as a clock that was set back leaves them,
-- become the present one: they count for one window, not for longer, and are not forgotten either.
-- Defines free_in(key, window, count, limit, time): in how many ms fewer than `limit` of the `count` remain in the window.
local function drop_old(key, window, time)
  local dropped = redis.pcall('ZREMRANGEBYSCORE', key, '-inf', time - window)
  if type(dropped) ~= 'number' then
    redis.call('DEL', key)
  end
  for _, digest in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. string.format('%.0f', time), '+inf')) do
    redis.call('ZADD', key, time, digest)
  end
  return redis.call('ZCARD', key)
end
local function free_in(key, window, count, limit, time)
  local index = count - limit
  local oldest = redis.call('ZRANGE', key, index, index, 'WITHSCORES')
  return tonumber(oldest[2]) + window - time
end
