-- Reads all heartbeats together with the time they are to be compared with.
--   KEYS[1]  heartbeats
-- Returns {now in ms, {heartbeat, …}}.
-- @include now
return { now(), redis.call('HVALS', KEYS[1]) }
