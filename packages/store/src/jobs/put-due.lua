-- Says when a job is due.
--   KEYS[1]  jobs by when they are due
--   ARGV[1]  the job
--   ARGV[2]  ms from now; '' to remove the job
--   ARGV[3]  the score that the caller gave it last, or ''. If it has another one, the job was changed
--            since, and it never becomes later
-- Returns the score that it has now, or ''.
-- @include redis/now
-- @include redis/forget-unreadable
forget_unreadable(KEYS[1], 'zset')
local current = redis.call('ZSCORE', KEYS[1], ARGV[1])
local is_own = current and ARGV[3] ~= '' and tonumber(current) == tonumber(ARGV[3])
if ARGV[2] == '' then
  if is_own then
    redis.call('ZREM', KEYS[1], ARGV[1])
    return ''
  end
  return current or ''
end
local score = now() + ARGV[2]
if current and not is_own then
  score = math.min(score, tonumber(current))
end
redis.call('ZADD', KEYS[1], string.format('%.0f', score), ARGV[1])
return string.format('%.0f', score)
