-- Defines expire_leases(leases, weights, time): forgets the leases that ran out. Returns how many are left, and the sum of
-- their weights, which the field `total` of the weights holds.
local function expire_leases(leases, weights, time)
  local total = tonumber(redis.call('HGET', weights, 'total') or '0')
  local gone
  repeat
    gone = redis.call('ZRANGEBYSCORE', leases, '-inf', time, 'LIMIT', 0, 1000)
    if #gone > 0 then
      redis.call('ZREM', leases, unpack(gone))
      local lost = 0
      for _, weight in ipairs(redis.call('HMGET', weights, unpack(gone))) do
        lost = lost + tonumber(weight or '0')
      end
      if lost > 0 then
        redis.call('HDEL', weights, unpack(gone))
        total = redis.call('HINCRBY', weights, 'total', -lost)
      end
    end
  until #gone < 1000
  local count = redis.call('ZCARD', leases)
  if count == 0 then
    redis.call('DEL', weights)
    return 0, 0
  end
  return count, total
end
