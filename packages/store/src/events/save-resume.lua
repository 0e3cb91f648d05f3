-- Writes fields of the record from which a client resumes. If the tenant then has too many records, or too many bytes
-- of them, deletes the oldest records of the API key with most bytes.
--   KEYS[1]   the client's record
--   KEYS[2]   limits of the tenant
--   ARGV[1]   prefix of the names of the tenant's keys
--   ARGV[2]   hash that names the record
--   ARGV[3]   API key of the client
--   ARGV[4]   how long to keep the record if its client has proven that it reads, ms
--   ARGV[5]   how long to keep it otherwise, ms
--   ARGV[6]   maximum number of records of a tenant that has no limit of its own
--   ARGV[7]   maximum bytes of these records
--   ARGV[8…]  fields, each with its value
-- Returns how many records were deleted.
-- @include redis/now
-- @include events/resume-index
-- @include tenants/limit-of

-- Approximate bytes of a record in Redis besides its fields.
local OVERHEAD = 300
-- One call deletes at most this number of records. It adds at most one.
local AT_ONCE = 200

local hash, key, life = ARGV[2], ARGV[3], tonumber(ARGV[4])
local time = now()
forget_unreadable(KEYS[1], 'hash')
local owner = redis.call('HGET', KEYS[1], 'key')
if owner and owner ~= key then
  forget_record(owner, hash)
end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
local is_proven = redis.call('HEXISTS', KEYS[1], 'proven') == 1
redis.call('PEXPIRE', KEYS[1], is_proven and life or ARGV[5])
local size = OVERHEAD
for _, value in ipairs(redis.call('HVALS', KEYS[1])) do
  size = size + #value
end
touch_record(key, hash, time, size)

for _, old in
  ipairs(redis.call('ZRANGEBYSCORE', records_key(key), '-inf', time - life, 'LIMIT', 0, AT_ONCE))
do
  forget_record(key, old)
end

-- Returns the API key with most bytes. Corrects the counts on the way: a key whose list has expired has no bytes.
local function largest_key()
  local largest, most, records = nil, 0, 0
  local totals = redis.call('HGETALL', TOTALS)
  for i = 1, #totals, 2 do
    local name = totals[i]
    local bytes = total_of(name)
    if name ~= '*' and name ~= '#' then
      local count = records_of(name)
      if count == 0 then
        add_bytes(name, -bytes)
      elseif bytes > most then
        largest, most = name, bytes
      end
      records = records + count
    end
  end
  redis.call('HSET', TOTALS, '#', records)
  return largest
end

local most_records = limit_of(KEYS[2], 'resumeRecords', ARGV[6])
local most_bytes = limit_of(KEYS[2], 'resumeBytes', ARGV[7])
local function is_too_much()
  return total_of('#') > most_records or total_of('*') > most_bytes
end

local dropped = 0
while dropped < AT_ONCE and is_too_much() do
  local largest = largest_key()
  if not largest or not is_too_much() then
    break
  end
  forget_record(largest, oldest_record(largest))
  dropped = dropped + 1
end
for _, name in ipairs({ BASE .. 'resumes:' .. key, BASE .. 'resume-sizes:' .. key, TOTALS }) do
  redis.call('PEXPIRE', name, 2 * life)
end
return dropped
