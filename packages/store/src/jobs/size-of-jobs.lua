-- Defines add_size(id, bytes): counts bytes of a job in KEYS[6], and in the total of the tenant.
-- @include redis/count-in
local function add_size(id, bytes)
  for _, name in ipairs({ id, '*' }) do
    local size = (count_in(redis.pcall('HGET', KEYS[6], name)) or 0) + bytes
    redis.pcall('HSET', KEYS[6], name, string.format('%.0f', math.max(0, size)))
  end
end
