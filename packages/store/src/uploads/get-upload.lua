-- Reads an upload of a session.
--   KEYS[1]  uploads of the session, by their ids
--   KEYS[2]  the same ids, by when they expire, ms
--   ARGV[1]  id
-- Returns the description (JSON) and when it expires, ms; nothing if there is none, or it cannot be read.
-- @include redis/now
local ends = redis.pcall('ZSCORE', KEYS[2], ARGV[1])
local described = redis.pcall('HGET', KEYS[1], ARGV[1])
if type(ends) ~= 'string' or type(described) ~= 'string' or tonumber(ends) <= now() then
  return {}
end
return { described, ends }
