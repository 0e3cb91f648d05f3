-- Defines count_in(reply): the number in a reply to GET or HGET, and its text. Nil when there is none, or one that
-- cannot be read: an error, as of a record of another type, or text that is not a whole number that Lua can hold.
local function count_in(reply)
  if type(reply) == 'string' and #reply < 16 and string.match(reply, '^%d+$') then
    return tonumber(reply), reply
  end
end
