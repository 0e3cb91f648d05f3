-- Shows a session as waiting for a worker, unless a worker owns it, or it was handed out since its placer looked at it:
-- only its status keeps workers from its device, which may be used elsewhere.
--   KEYS[1]  owner record
--   KEYS[2]  directory entry
--   KEYS[3]  ids of the tenant's sessions that want a worker and have none
--   ARGV[1]  reason, or ''
--   ARGV[2]  worker that is believed dead and therefore does not count as an owner, or ''
--   ARGV[3]  session id
-- Returns 1, or 0 if a worker owns the session, it was handed out, or there is no such session.
-- @include sessions/write-status
-- @include sessions/want-worker
local worker = redis.call('HGET', KEYS[1], 'worker')
if (worker and worker ~= ARGV[2]) or redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
local entry = redis.call('HMGET', KEYS[2], 'status', 'reason', 'removeBy')
if entry[1] == 'closed' and entry[2] == 'exported' and not entry[3] then
  return 0
end
write_status(KEYS[2], 'queued', ARGV[1])
if not worker then
  note_unowned(KEYS[2], KEYS[3], ARGV[3])
end
return 1
