-- Renews the lease of a worker incarnation, and the life of its inbox with it.
--   KEYS[1]  lease
--   KEYS[2]  inbox
--   ARGV[1]  life of the lease in ms
--   ARGV[2]  life of the inbox in ms
-- Returns 1, or 0 when the lease ran out.
if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
