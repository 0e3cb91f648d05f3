-- Notes how far a client has got.
--   KEYS[1]  the client's record
--   ARGV[1]  how long to keep it, ms
--   ARGV[2]  position
-- Returns 1; 0 without a record, and then makes none, as it would lack the subscription.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'position', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
