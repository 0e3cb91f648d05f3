-- An index of client records by API key, which bounds their number and bytes. Defines touch_record(key, hash, time,
-- size), which notes that a record was written at a time, with its size if that may have changed; forget_record(key,
-- hash), which deletes a record; oldest_record(key); and records_of(key).
-- BASE is the prefix of the names of the tenant's keys.
--   <BASE>resumes:<key id>       zset: hash → when its record was last written, ms
--   <BASE>resume-sizes:<key id>  hash: hash → bytes of its record
--   <BASE>resume-totals          hash: key id → bytes of its records; `*`: of all of the tenant; `#`: how many there
--   are
-- The index only counts records, so a part of it that cannot be read is deleted, and its count starts again.
-- @include redis/forget-unreadable
local BASE = ARGV[1]
local TOTALS = BASE .. 'resume-totals'
forget_unreadable(TOTALS, 'hash')

local function records_key(key)
  local name = BASE .. 'resumes:' .. key
  forget_unreadable(name, 'zset')
  return name
end

local function sizes_key(key)
  local name = BASE .. 'resume-sizes:' .. key
  forget_unreadable(name, 'hash')
  return name
end

local function total_of(name)
  return tonumber(string.match(redis.call('HGET', TOTALS, name) or '', '^%-?%d+$')) or 0
end

local function add_total(name, amount)
  if amount ~= 0 then
    local total = total_of(name) + amount
    if total > 0 then
      redis.call('HSET', TOTALS, name, string.format('%.0f', total))
    else
      redis.call('HDEL', TOTALS, name)
    end
  end
end

local function add_bytes(key, bytes)
  add_total(key, bytes)
  add_total('*', bytes)
end

local function touch_record(key, hash, time, size)
  add_total('#', redis.call('ZADD', records_key(key), time, hash))
  if size then
    local sizes = sizes_key(key)
    local before = tonumber(redis.call('HGET', sizes, hash)) or 0
    redis.call('HSET', sizes, hash, size)
    add_bytes(key, size - before)
  end
end

local function forget_record(key, hash)
  local sizes = sizes_key(key)
  local size = tonumber(redis.call('HGET', sizes, hash)) or 0
  redis.call('HDEL', sizes, hash)
  add_total('#', -redis.call('ZREM', records_key(key), hash))
  redis.call('DEL', BASE .. 'resume:' .. hash)
  add_bytes(key, -size)
end

local function oldest_record(key)
  return redis.call('ZRANGE', records_key(key), 0, 0)[1]
end

local function records_of(key)
  return redis.call('ZCARD', records_key(key))
end
