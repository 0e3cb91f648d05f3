-- Reads all heartbeats together with the current time, to compute their ages.
--   KEYS[1]  heartbeats
-- Returns {now in ms, {worker, heartbeat, worker, heartbeat, …}}.
-- @include redis/now
return { now(), redis.call('HGETALL', KEYS[1]) }
