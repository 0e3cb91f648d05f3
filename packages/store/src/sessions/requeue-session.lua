-- Queues a session for a worker and sets its desired state to open. Repairs a record that cannot be read.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   KEYS[4]  ids of the tenant's sessions that ARGV[2] owns
--   ARGV[1]  reason
--   ARGV[2]  worker that does not count as an owner and loses the session, or ''
--   ARGV[3]  the status that the session must have, or '' for any
--   ARGV[4]  session id
--   ARGV[5…] fields of the entry that cannot be read
-- Returns 1, or 0 if another worker owns it, it has another status, or there is no such session.
-- @include sessions/write-status
local kind = redis.call('TYPE', KEYS[2]).ok
if kind == 'none' then
  return 0
end
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  redis.call('DEL', KEYS[1])
end
local worker = redis.call('HGET', KEYS[1], 'worker')
if worker and worker ~= ARGV[2] then
  return 0
end
if kind ~= 'hash' then
  redis.call('DEL', KEYS[2])
elseif ARGV[3] ~= '' and redis.call('HGET', KEYS[2], 'status') ~= ARGV[3] then
  return 0
end
redis.call('HDEL', KEYS[1], 'worker')
-- An index that cannot be read is left unchanged; see want-worker.
redis.pcall('SREM', KEYS[4], ARGV[4])
redis.pcall('SADD', KEYS[3], ARGV[4])
-- A claim increments it.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and not string.match(epoch, '^%d+$') then
  redis.call('HDEL', KEYS[1], 'epoch')
end
if #ARGV > 4 then
  redis.call('HDEL', KEYS[2], unpack(ARGV, 5))
end
redis.call('HSETNX', KEYS[2], 'createdAt', string.format('%.0f', now()))
redis.call('HSETNX', KEYS[2], 'since', string.format('%.0f', now()))
redis.call('HSET', KEYS[2], 'desired', 'open')
write_status(KEYS[2], 'queued', ARGV[1])
return 1
