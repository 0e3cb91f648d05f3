-- Returns which workers count as alive: those with a lease, or all while the cluster settles.
--   KEYS[1]  pulse
--   KEYS[2…] leases
-- Returns {1 while the cluster settles, else 0; then 1 or 0 for each lease}.
-- @include workers/pulse
local is_settling = pulse(KEYS[1])
local alive = { is_settling and 1 or 0 }
for i = 2, #KEYS do
  alive[i] = (is_settling or redis.call('EXISTS', KEYS[i]) == 1) and 1 or 0
end
return alive
