-- Reads directory entries and owners of sessions.
--   KEYS  for each session its directory entry and its owner record
-- Returns for each {worker or '', field, value, field, value, …}, or {} where there is no session.
local answer = {}
for i = 1, #KEYS, 2 do
  local entry = redis.call('HGETALL', KEYS[i])
  if #entry > 0 then
    table.insert(entry, 1, redis.call('HGET', KEYS[i + 1], 'worker') or '')
  end
  answer[#answer + 1] = entry
end
return answer
