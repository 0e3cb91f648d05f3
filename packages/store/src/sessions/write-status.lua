-- Defines write_status(entry, status, reason): sets both in a directory entry. An empty reason removes the field.
-- `since` changes only if the status does.
-- @include redis/now
local function write_status(entry, status, reason)
  if redis.call('HGET', entry, 'status') ~= status then
    redis.call('HSET', entry, 'status', status, 'since', string.format('%.0f', now()))
  end
  if reason == '' then
    redis.call('HDEL', entry, 'reason')
  else
    redis.call('HSET', entry, 'reason', reason)
  end
end
