-- Writes fields of what a client goes on with when it comes back. Where the records of its API key or of the tenant are
-- too many then, the oldest are deleted; one of the key first, of the key with most bytes where it is the tenant.
--   KEYS[1]   the client's record
--   ARGV[1]   what the names of the tenant's keys begin with
--   ARGV[2]   hash that names the record
--   ARGV[3]   API key of the client
--   ARGV[4]   how long to keep a record whose client has proven that it is there, ms
--   ARGV[5]   how long to keep one whose client has not
--   ARGV[6]   how many records an API key may have
--   ARGV[7]   how many bytes these may have
--   ARGV[8]   how many bytes those of the tenant may have
--   ARGV[9…]  fields, each with its value
-- Returns how many records were deleted.
-- @include now
-- @include resume-index

-- What Redis takes for a record besides its fields, about.
local OVERHEAD = 300
-- At most so many are deleted at once for each reason. One that is written adds one at most.
local AT_ONCE = 200

local hash, key, life = ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = now()
local owner = redis.call('HGET', KEYS[1], 'key')
if owner and owner ~= key then
  forget_record(owner, hash)
end
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
local is_proven = redis.call('HEXISTS', KEYS[1], 'proven') == 1
redis.call('PEXPIRE', KEYS[1], is_proven and life or ARGV[5])
local size = OVERHEAD
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
  size = size + #value
end
touch_record(key, hash, time, size)

local dropped = 0
local index = BASE .. 'resumes:' .. key
for _, old in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', time - life, 'LIMIT', 0, AT_ONCE)) do
  forget_record(key, old)
end
local most, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
while
  dropped < AT_ONCE
  and (redis.call('ZCARD', index) > most or (tonumber(redis.call('HGET', TOTALS, key)) or 0) > most_bytes)
do
  local oldest = oldest_record(key)
  if not oldest then
    break
  end
  forget_record(key, oldest)
  dropped = dropped + 1
end

local most_of_tenant = tonumber(ARGV[8])
while dropped < AT_ONCE and (tonumber(redis.call('HGET', TOTALS, '*')) or 0) > most_of_tenant do
  local largest, bytes = nil, 0
  local totals = redis.call('HGETALL', TOTALS)
  for i = 1, #totals, 2 do
    if totals[i] ~= '*' and tonumber(totals[i + 1]) > bytes then
      largest, bytes = totals[i], tonumber(totals[i + 1])
    end
  end
  if not largest then
    break
  end
  local oldest = oldest_record(largest)
  if oldest then
    forget_record(largest, oldest)
    dropped = dropped + 1
  else
    -- Its records have all expired, and their list with them.
    add_bytes(largest, -bytes)
  end
end
for _, name in ipairs({ index, BASE .. 'resume-sizes:' .. key, TOTALS }) do
  redis.call('PEXPIRE', name, 2 * life)
end
return dropped
