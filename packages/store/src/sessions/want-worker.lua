-- Defines note_unowned(entry, unowned, id): enters a session that has no owner into the index of those that want one,
-- unless it rests or is gone. A session that is to be removed wants a worker to log it out.
-- A session whose entry cannot be read rests. An index that cannot be read is left unchanged: the slow comparison of
-- all sessions finds the session (see Reconciler).
--   entry    directory entry
--   unowned  ids of the tenant's sessions that want a worker and have none
local RESTING = { closed = true, logged_out = true, failed = true }
local function note_unowned(entry, unowned, id)
  local wish = redis.pcall('HMGET', entry, 'desired', 'status', 'removeBy')
  if wish[3] or (wish[1] == 'open' and not RESTING[wish[2]]) then
    redis.pcall('SADD', unowned, id)
  else
    redis.pcall('SREM', unowned, id)
  end
end
