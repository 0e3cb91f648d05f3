-- Notes how far a client has got, or only that it is still there.
--   KEYS[1]   the client's record
--   ARGV[1]   how long to keep it, ms
--   ARGV[2…]  fields, each with its value; none leaves the record as it is
-- Returns 1; 0 without a record, and then makes none, as it would lack the subscription.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if #ARGV > 1 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 2))
end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
