-- Defines call_replacing(command, key, …): the answer of the command. A key of another type, as a later release may leave it,
-- is deleted before. For keys that are not worth an event or a message which is written with them.
local function call_replacing(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then
    return answer
  end
  if string.sub(answer.err, 1, 9) == 'WRONGTYPE' then
    redis.call('DEL', key)
  end
  return redis.call(command, key, ...)
end
