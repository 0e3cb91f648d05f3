-- Keeps files of received messages for 7 to 8 days, in daily buckets as put-message does.
--   KEYS[1]  owner record
--   KEYS[2…] the buckets of the session
--   ARGV[1]  epoch of the claim
--   ARGV[2]  worker that claimed
--   ARGV[3]  maximum number of files in a bucket
--   ARGV[4…] field, author, sealed file, field, author, sealed file, …
-- A value begins with the author. A field that has another author's file keeps it, since senders choose the ids of
-- their messages. Files that do not fit into a full bucket are left out.
-- Returns how many files were kept. Error FENCED.
-- @include sessions/fence
-- @include redis/now
-- @include redis/call-replacing
local DAY = 24 * 60 * 60 * 1000
local buckets = #KEYS - 1
local today = math.floor(now() / DAY)
local bucket = KEYS[2 + today % buckets]
local room = tonumber(ARGV[3]) - call_replacing('HLEN', bucket)

local function is_another_ones(field, author)
  for i = 2, #KEYS do
    local value = call_replacing('HGET', KEYS[i], field)
    if value and string.sub(value, 1, #author) ~= author then
      return true
    end
  end
  return false
end

local kept = 0
for i = 4, #ARGV, 3 do
  local field, author, sealed = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local is_new = redis.call('HEXISTS', bucket, field) == 0
  if (room > 0 or not is_new) and not is_another_ones(field, author) then
    redis.call('HSET', bucket, field, author .. sealed)
    kept = kept + 1
    if is_new then
      room = room - 1
    end
  end
end
if kept > 0 then
  redis.call('PEXPIREAT', bucket, string.format('%.0f', (today + buckets) * DAY))
end
return kept
