-- Notes that WhatsApp has refused a message, and pauses new chats after too many of them. After a pause the first refusal
-- leads to the next one, which is twice as long.
--   KEYS[1]  owner record
--   KEYS[2]  the refusals and the pause
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  how many refusals lead to a pause
--   ARGV[4]  within which time, ms
--   ARGV[5]  the first pause, ms
--   ARGV[6]  the longest pause, ms
--   ARGV[7]  how long all of it is remembered after the last refusal, or the end of the pause, ms
-- Returns the pause, as read-pause.lua does. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include pacing/pause
local time = now()
local pause = read_pause(KEYS[2])
if pause.until_ms <= time then
  local is_window_over = pause.since <= time - ARGV[4] or pause.since > time
  pause.refusals = is_window_over and 1 or pause.refusals + 1
  if pause.refusals == 1 then
    pause.since = time
  end
  if pause.level > 0 or pause.refusals >= tonumber(ARGV[3]) then
    pause.until_ms = time + math.min(ARGV[5] * 2 ^ math.min(pause.level, 30), tonumber(ARGV[6]))
    pause.level = pause.level + 1
    pause.reason = 'refused'
  end
end
write_pause(KEYS[2], pause, time, tonumber(ARGV[7]))
return answer(pause, time)
