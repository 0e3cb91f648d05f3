-- Puts a command into a worker's inbox.
--   KEYS[1]  lease of the worker
--   KEYS[2]  inbox
--   ARGV[1]  command (JSON)
--   ARGV[2]  how long its sender waits, ms
--   ARGV[3]  how many commands the inbox may hold
--   ARGV[4]  life of the inbox in ms
-- Returns 'queued', 'full', or 'gone' when the worker's lease ran out.
-- @include now
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'gone'
end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) then
  return 'full'
end
redis.call('XADD', KEYS[2], '*', 'command', ARGV[1], 'deadline', string.format('%.0f', now() + ARGV[2]))
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'queued'
