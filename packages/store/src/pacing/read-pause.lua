-- Reads the refusals of WhatsApp and the pause that they led to.
--   KEYS[1]  the refusals and the pause
-- Returns {for how many ms no new chats are begun, until when, ms, how many pauses there were one after the other, how many
-- refusals are counted, reason}.
-- @include redis/now
-- @include pacing/pause
return answer(read_pause(KEYS[1]), now())
