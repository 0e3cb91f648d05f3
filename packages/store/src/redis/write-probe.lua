-- Writes a small key and publishes a message, by a script as all other writes do.
--   KEYS[1]  the key, and the channel, which has no listeners
--   ARGV[1]  how long the key is kept, s
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
redis.call('SPUBLISH', KEYS[1], '')
return 1
