-- Defines new_chat_limit(linked_at, per_day, first, time): to how many people a session may write first in 24 hours, 0 for any
-- number. ARGV[first] and the arguments after it are the limits of the first days after linking. A link in the future is
-- on its first day, one of unknown age (0) has no first days.
local DAY = 24 * 60 * 60 * 1000
local function new_chat_limit(linked_at, per_day, first, time)
  if linked_at == 0 then
    return per_day
  end
  local day = math.max(0, math.floor((time - linked_at) / DAY))
  return tonumber(ARGV[first + day] or per_day)
end
