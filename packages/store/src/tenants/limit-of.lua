-- Defines limit_of(limits, name, default, least): a limit of a tenant. A stored value is ignored if it is not a whole
-- number of at least `least`, or if the limits have another type.
--   limits   limits of the tenant
--   name     name of the limit
--   default  the limit of a tenant that has none of its own; nil or '' for none
--   least    Default: 0
-- @include redis/count-in
local function limit_of(limits, name, default, least)
  local own = count_in(redis.pcall('HGET', limits, name))
  if own and own >= (least or 0) then
    return own
  end
  return tonumber(default)
end
