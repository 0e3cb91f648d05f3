-- Defines forget_unreadable(key, kind): deletes a key of another type than it should have, as a damaged or another
-- release leaves it. For what only counts or orders what stands elsewhere, and is made up anew.
local function forget_unreadable(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    redis.call('DEL', key)
  end
end
