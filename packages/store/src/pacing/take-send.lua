-- Takes a message from the budgets of a session, before it is sent. A message that was taken within the last minute is
-- not taken again. Of a person who was written to first within 24 hours, only the first message is.
--   KEYS[1]  owner record
--   KEYS[2]  digests of the messages of the last minute, by when
--   KEYS[3]  digests of the people who were written to first in the last 24 hours, by when
--   KEYS[4]  digests of the people who have a chat with the account, by when that was last seen
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  digest of the message
--   ARGV[4]  how many messages may be sent in a minute; 0: any number
--   ARGV[5]  digest of the person by one id; '' if it is not the chat of a person, or one that is known in another way
--   ARGV[6]  digest of the person by the other id, or ''
--   ARGV[7]  when the session was linked, ms; 0 if that is not known
--   ARGV[8]  to how many people may be written first in 24 hours; 0: any number
--   ARGV[9…] the same for the first days after linking
-- Returns {0, is new, 0, 0} if it was taken: is new is 1 if the person is not known to have a chat. Otherwise nothing was
-- taken: {1, 0, ms, limit} if the messages of a minute are used up, {2, 1, ms, limit} if the new chats are. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include pacing/times-until
-- @include pacing/new-chat-limit
local MINUTE = 60 * 1000
local time = now()
local sends_limit = tonumber(ARGV[4])
local is_taken = false
if sends_limit > 0 then
  local count = drop_old(KEYS[2], MINUTE, time)
  is_taken = redis.call('ZSCORE', KEYS[2], ARGV[3]) ~= false
  if not is_taken and count >= sends_limit then
    return {1, 0, free_in(KEYS[2], MINUTE, count, sends_limit, time), sends_limit}
  end
end
local is_new = false
local chat_limit = new_chat_limit(tonumber(ARGV[7]), tonumber(ARGV[8]), 9, time)
if ARGV[5] ~= '' then
  local is_known = false
  local is_counted = false
  drop_old(KEYS[4], 90 * DAY, time)
  local chats = drop_old(KEYS[3], DAY, time)
  for _, digest in ipairs({ARGV[5], ARGV[6]}) do
    if digest ~= '' then
      if redis.call('ZSCORE', KEYS[4], digest) then
        is_known = true
        redis.call('ZADD', KEYS[4], time, digest)
        redis.call('PEXPIRE', KEYS[4], 90 * DAY)
      end
      is_counted = is_counted or redis.call('ZSCORE', KEYS[3], digest) ~= false
    end
  end
  is_new = not is_known
  if is_new and not is_counted then
    if chat_limit > 0 and chats >= chat_limit then
      return {2, 1, free_in(KEYS[3], DAY, chats, chat_limit, time), chat_limit}
    end
    -- One that has no limit now may get one within the day; the bound is that of the setting.
    if chats < 1000 then
      redis.call('ZADD', KEYS[3], time, ARGV[5])
      redis.call('PEXPIRE', KEYS[3], DAY)
    end
  end
end
if sends_limit > 0 and not is_taken then
  redis.call('ZADD', KEYS[2], time, ARGV[3])
  redis.call('PEXPIRE', KEYS[2], MINUTE)
end
return {0, is_new and 1 or 0, 0, 0}
