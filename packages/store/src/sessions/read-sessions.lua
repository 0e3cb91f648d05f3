-- Reads sessions of one tenant: their directory entries and owners.
--   KEYS[1…] directory entry, owner record, directory entry, owner record, …
-- Returns {entry, worker or '', entry, worker or '', …, now in ms since 1970}; an entry is {field, value, …}, or 0 if
-- it is not a hash. A record of another type does not hide the others.
-- @include redis/now
local found = {}
for i = 1, #KEYS, 2 do
  local entry = redis.pcall('HGETALL', KEYS[i])
  found[i] = entry.err and 0 or entry
  local worker = redis.pcall('HGET', KEYS[i + 1], 'worker')
  found[i + 1] = type(worker) == 'string' and worker or ''
end
found[#KEYS + 1] = now()
return found
