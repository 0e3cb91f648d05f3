-- Notes in the directory when WhatsApp last delivered something to sessions of one tenant.
--   KEYS[1…] owner record, directory entry, owner record, directory entry, …
--   ARGV[1…] of each session: epoch of the claim, worker that claimed, last stanza, last message or ''; ms since 1970
-- Returns how many sessions were noted. A session that another worker owns, or whose records have another type, is left
-- unchanged and does not affect the others.
local noted = 0
for i = 1, #KEYS, 2 do
  local first = 2 * i - 1
  local owner = redis.pcall('HMGET', KEYS[i], 'epoch', 'worker')
  if owner[1] == ARGV[first] and owner[2] == ARGV[first + 1] then
    local fields = { 'lastStanzaAt', ARGV[first + 2] }
    if ARGV[first + 3] ~= '' then
      fields[3], fields[4] = 'lastMessageAt', ARGV[first + 3]
    end
    local written = redis.pcall('HSET', KEYS[i + 1], unpack(fields))
    if type(written) == 'number' then
      noted = noted + 1
    elseif string.sub(written.err, 1, 9) ~= 'WRONGTYPE' then
      -- Redis accepts no writes now, so the other sessions would fail too.
      return written
    end
  end
end
return noted
