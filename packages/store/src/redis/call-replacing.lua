-- Defines call_replacing(command, key, …): runs the command and returns its answer. If the key has another type, as a
-- later release may leave it, deletes the key first. For keys that matter less than the event or message written with
-- them.
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
