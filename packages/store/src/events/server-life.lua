-- Defines server_life(): a text that identifies this life of this server's data. The text changes after a restart, and
-- on a replica that was promoted, even if it was the primary before. If it differs from the one noted beside some data,
-- writes may have been lost in between.
--
-- Redis gives its data a new replication id on each of these occasions; the text is the beginning of the id. To read it
-- costs more than the rest of most scripts.
local function server_life()
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  return string.sub(id, 1, 16)
end
