-- Stores a job, unless it is stored already.
--   KEYS[1…6]  as in jobs/change-parts
--   KEYS[7]   jobs of the tenant, by when they were made
--   KEYS[8]   limits of the tenant
--   KEYS[9]   ids of the tenant's sessions
--   KEYS[10]  directory entry of the session
--   ARGV[1]   job id
--   ARGV[2]   session id
--   ARGV[3]   when it begins, ms since 1970; '' for now
--   ARGV[4]   when it expires, ms since 1970; '' for ARGV[5] after its beginning
--   ARGV[5]   ms
--   ARGV[6]   how long an ended job is kept, ms
--   ARGV[7]   how many ended jobs of a tenant are kept
--   ARGV[8]   how many active jobs a tenant may have that has no limit of its own
--   ARGV[9]   the same for bytes of jobs
--   ARGV[10]  name, or ''
--   ARGV[11]  messages per minute, or ''
--   ARGV[12]  'continue' or 'stop'
--   ARGV[13]  number of messages
--   ARGV[14…] the recipient of each message, then the JSON of each
-- Returns {'stored', when it begins in ms from now, jobs that are forgotten for it…}, {'no-session'},
-- or {'full', 'jobs' or 'jobBytes', limit, used}.
-- @include redis/now
-- @include redis/forget-unreadable
-- @include jobs/change-parts
-- @include tenants/limit-of
local ENTRY_BYTES = 64
local time = now()
local id, total = ARGV[1], tonumber(ARGV[13])
local stored = redis.call('HMGET', KEYS[1], 'at', 'state')
if stored[2] then
  return { 'stored', math.max(0, (count_in(stored[1]) or 0) - time) }
end
if redis.call('SISMEMBER', KEYS[9], ARGV[2]) == 0 then
  return { 'no-session' }
end
forget_unreadable(KEYS[4], 'zset')
forget_unreadable(KEYS[5], 'zset')
forget_unreadable(KEYS[6], 'hash')
forget_unreadable(KEYS[7], 'zset')
local active = redis.call('ZCOUNT', KEYS[4], string.format('(%.0f', time), '+inf')
local limit = limit_of(KEYS[8], 'jobs', ARGV[8])
if active >= limit then
  return { 'full', 'jobs', limit, active }
end

local text_bytes, result_bytes = 0, 0
for place = 14, 13 + total do
  text_bytes = text_bytes + #ARGV[place + total]
  result_bytes = result_bytes + #ARGV[place] + ENTRY_BYTES
end
local bytes = text_bytes + result_bytes
-- Whose time has passed goes, and beyond the bounds the oldest of those that have ended.
local gone = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', time - ARGV[6]))
local used = count_in(redis.pcall('HGET', KEYS[6], '*')) or 0
for _, old in ipairs(gone) do
  used = used - (count_in(redis.pcall('HGET', KEYS[6], old)) or 0)
end
local ended = redis.call('ZRANGE', KEYS[5], 0, -1, 'WITHSCORES')
local limit_bytes = limit_of(KEYS[8], 'jobBytes', ARGV[9])
local count = #ended / 2
for place = 1, #ended, 2 do
  local is_past = tonumber(ended[place + 1]) <= time - ARGV[6]
  if not is_past and count < tonumber(ARGV[7]) and used + bytes <= limit_bytes then
    break
  end
  used = used - (count_in(redis.pcall('HGET', KEYS[6], ended[place])) or 0)
  gone[#gone + 1] = ended[place]
  count = count - 1
end
used = math.max(0, used)
if used + bytes > limit_bytes then
  return { 'full', 'jobBytes', limit_bytes, used }
end

local at = math.max(time, count_in(ARGV[3]) or 0)
local expires = count_in(ARGV[4]) or at + ARGV[5]
-- Nothing is deleted before this: when out of memory, Redis refuses only a script's first write.
redis.call(
  'HSET', KEYS[1],
  'state', 'scheduled', 'session', ARGV[2], 'sessionMade', redis.call('HGET', KEYS[10], 'createdAt') or '',
  'name', ARGV[10], 'pace', ARGV[11], 'onError', ARGV[12], 'total', total, 'next', 0,
  'createdAt', string.format('%.0f', time), 'at', string.format('%.0f', at),
  'expiresAt', string.format('%.0f', expires), 'textBytes', text_bytes
)
for place = 14, 13 + total do
  redis.call('RPUSH', KEYS[3], ARGV[place])
  redis.call('RPUSH', KEYS[2], ARGV[place + total])
end
local life = string.format('%.0f', expires - time + ARGV[6])
for place = 1, 3 do
  redis.call('PEXPIRE', KEYS[place], life)
end
for _, old in ipairs(gone) do
  redis.call('ZREM', KEYS[4], old)
  redis.call('ZREM', KEYS[5], old)
  redis.call('ZREM', KEYS[7], old)
  redis.call('HDEL', KEYS[6], old)
end
redis.call('HSET', KEYS[6], id, bytes, '*', string.format('%.0f', used + bytes))
redis.call('ZADD', KEYS[4], string.format('%.0f', expires), id)
redis.call('ZADD', KEYS[7], string.format('%.0f', time), id)
return { 'stored', math.max(0, at - time), unpack(gone) }
