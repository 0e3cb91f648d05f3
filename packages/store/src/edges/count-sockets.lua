-- Returns how many sockets all running edges have together.
--   KEYS[1]  until when each edge counts as running
--   KEYS[2]  how many each edge has
-- @include redis/now
-- @include edges/edge-counts
return count_others(KEYS[1], KEYS[2], '', now())
