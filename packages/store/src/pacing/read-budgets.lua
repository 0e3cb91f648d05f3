-- Reads what is left of a session's budgets.
--   KEYS[1]  digests of the messages of the last minute, by when
--   KEYS[2]  digests of the people who were written to first in the last 24 hours, by when
--   ARGV[1]  when the session was linked, ms; 0 if that is not known
--   ARGV[2]  to how many people may be written first in 24 hours; 0: any number
--   ARGV[3…] the same for the first days after linking
-- Returns {messages of the last minute, new chats of the last 24 hours, limit of new chats}. Records that cannot be read
-- count as empty.
-- @include redis/now
-- @include pacing/new-chat-limit
local time = now()
local function count(key, window)
  local found = redis.pcall('ZCOUNT', key, '(' .. string.format('%.0f', time - window), '+inf')
  return type(found) == 'number' and found or 0
end
local limit = new_chat_limit(tonumber(ARGV[1]), tonumber(ARGV[2]), 3, time)
return {count(KEYS[1], 60 * 1000), count(KEYS[2], DAY), limit}
