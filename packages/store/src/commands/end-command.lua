-- Removes finished commands from a worker's inbox.
--   KEYS[1]  inbox
--   KEYS[2…] the keys that count the command
--   ARGV[1]  id of the command
--   ARGV[2…] its entry in the inbox, and further entries that could not be removed before
-- Returns how many entries were removed.
for i = 2, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
return redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
