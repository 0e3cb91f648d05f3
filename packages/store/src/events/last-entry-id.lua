-- Defines last_entry_id(stream): epoch and seq, as text, of the last entry that was added to a log's stream, even if it
-- was trimmed since. Returns '0' and '0' if there is no stream.
local function last_entry_id(stream)
  if redis.call('EXISTS', stream) == 1 then
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        return string.match(info[i + 1], '^(%d+)-(%d+)$')
      end
    end
  end
  return '0', '0'
end
