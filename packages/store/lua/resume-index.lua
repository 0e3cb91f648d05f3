-- Which records of clients there are, by API key, so that their number and bytes are bounded. Defines
-- touch_record(key, hash, time, size), which notes that a record was written at a time, with its size where that may
-- have changed; forget_record(key, hash), which deletes a record; oldest_record(key); and records_of(key).
-- BASE is what the names of the tenant's keys begin with.
--   <BASE>resumes:<key id>       zset: hash → when its record was last written, ms
--   <BASE>resume-sizes:<key id>  hash: hash → bytes of its record
--   <BASE>resume-totals          hash: key id → bytes of its records; `*`: of all of the tenant; `#`: how many there are
local BASE = ARGV[1]
local TOTALS = BASE .. 'resume-totals'

local function add_total(name, amount)
  if amount ~= 0 and redis.call('HINCRBY', TOTALS, name, amount) <= 0 then
    redis.call('HDEL', TOTALS, name)
  end
end

local function add_bytes(key, bytes)
  add_total(key, bytes)
  add_total('*', bytes)
end

local function touch_record(key, hash, time, size)
  add_total('#', redis.call('ZADD', BASE .. 'resumes:' .. key, time, hash))
  if size then
    local sizes = BASE .. 'resume-sizes:' .. key
    local before = tonumber(redis.call('HGET', sizes, hash)) or 0
    redis.call('HSET', sizes, hash, size)
    add_bytes(key, size - before)
  end
end

local function forget_record(key, hash)
  local sizes = BASE .. 'resume-sizes:' .. key
  local size = tonumber(redis.call('HGET', sizes, hash)) or 0
  redis.call('HDEL', sizes, hash)
  add_total('#', -redis.call('ZREM', BASE .. 'resumes:' .. key, hash))
  redis.call('DEL', BASE .. 'resume:' .. hash)
  add_bytes(key, -size)
end

local function oldest_record(key)
  return redis.call('ZRANGE', BASE .. 'resumes:' .. key, 0, 0)[1]
end

local function records_of(key)
  return redis.call('ZCARD', BASE .. 'resumes:' .. key)
end
