-- Deletes jobs of a tenant, active or not.
--   KEYS[1]  active jobs of the tenant, by when they expire
--   KEYS[2]  ended jobs of the tenant, by when they ended
--   KEYS[3]  jobs of the tenant, by when they were made
--   KEYS[4]  sizes of the tenant's jobs
--   KEYS[5…] records, messages and results of the jobs
--   ARGV     ids of the jobs
-- Returns 1.
-- @include redis/count-in
local freed = 0
for _, id in ipairs(ARGV) do
  freed = freed + (count_in(redis.pcall('HGET', KEYS[4], id)) or 0)
end
local used = count_in(redis.pcall('HGET', KEYS[4], '*'))
redis.call('UNLINK', unpack(KEYS, 5))
-- An index that cannot be read keeps its entries. The next job that is stored replaces it.
for place = 1, 3 do
  redis.pcall('ZREM', KEYS[place], unpack(ARGV))
end
redis.pcall('HDEL', KEYS[4], unpack(ARGV))
if used and used > freed then
  redis.pcall('HSET', KEYS[4], '*', string.format('%.0f', used - freed))
else
  redis.pcall('HDEL', KEYS[4], '*')
end
return 1
