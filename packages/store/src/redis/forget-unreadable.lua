-- Defines forget_unreadable(key, kind): deletes a key whose type is not `kind`, as damage or another release may leave
-- it. For keys that only count or order records stored elsewhere, and can be rebuilt from them.
local function forget_unreadable(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    redis.call('DEL', key)
  end
end
