-- Reads all heartbeats together with the time they are to be compared with.
--   KEYS[1]  heartbeats
-- Returns {now in ms, {worker, heartbeat, worker, heartbeat, …}}.
-- @include redis/now
return { now(), redis.call('HGETALL', KEYS[1]) }
