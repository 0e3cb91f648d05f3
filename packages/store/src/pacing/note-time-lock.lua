-- Notes until when WhatsApp lets the account begin no new chats, or that it does again.
--   KEYS[1]  owner record
--   KEYS[2]  the refusals and the pause
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  until when, ms; 0: no more
--   ARGV[4]  the longest pause, ms
--   ARGV[5]  how long all of it is remembered after the end of the pause, ms
-- Returns the pause, as read-pause.lua does. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include pacing/pause
local time = now()
local pause = read_pause(KEYS[2])
local lock_end = tonumber(ARGV[3])
if lock_end > time then
  pause.until_ms = math.max(pause.until_ms, math.min(lock_end, time + ARGV[4]))
  pause.level = math.max(pause.level, 1)
  pause.reason = 'time-lock'
elseif pause.reason == 'time-lock' then
  pause.until_ms = 0
end
write_pause(KEYS[2], pause, time, tonumber(ARGV[5]))
return answer(pause, time)
