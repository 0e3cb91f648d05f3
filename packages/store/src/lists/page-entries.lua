-- Returns a page of a list, the highest place first, and whether entries were ever dropped from it.
--   KEYS[1]  list
--   KEYS[2]  order
--   KEYS[3]  notes
--   ARGV[1]  the place below which to begin, or '+inf'
--   ARGV[2]  the lowest place, or '-inf'
--   ARGV[3]  maximum number of entries
--   ARGV[4]  the field of the notes that says that entries were dropped
-- Returns {'1' or '0', id, place, sealed entry, id, …}, with '' for the entry of a place that has none. A key of another
-- type counts as empty.
local found = redis.pcall('ZRANGE', KEYS[2], '(' .. ARGV[1], ARGV[2], 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
local page = { redis.pcall('HGET', KEYS[3], ARGV[4]) == '1' and '1' or '0' }
if found.err then
  return page
end
for index = 1, #found, 2 do
  local entry = redis.pcall('HGET', KEYS[1], found[index])
  page[#page + 1] = found[index]
  page[#page + 1] = found[index + 1]
  page[#page + 1] = type(entry) == 'string' and entry or ''
end
return page
