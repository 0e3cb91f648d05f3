-- Renews the lease of a worker incarnation, and extends the life of its identity and inbox.
--   KEYS[1]  lease
--   KEYS[2]  identity
--   KEYS[3]  inbox
--   ARGV[1]  life of the lease in ms
--   ARGV[2]  life of the inbox in ms
--   ARGV[3]  incarnation
-- Returns 1, or 0 if the lease has expired.
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
