-- Defines server_life(must_look): a number that identifies this life of this server's data. The number changes after a
-- restart, and on a replica that was promoted, even if it was the primary before. If the number differs from the one
-- noted beside some data, writes may have been lost in between.
--
-- Redis gives its data a new replication id on each of these occasions; the number is derived from it. Reading the id
-- costs more than the rest of most scripts. Therefore the number is kept in a place that belongs to this process and is
-- lost when the process ends: cjson's limit on the depth of what it encodes. All scripts share that setting; it is 1000
-- in a new process. Our scripts do not encode JSON, and other scripts merely get a higher limit. SCRIPT FLUSH resets
-- the setting, which costs one read of the id and changes nothing.
--
-- A process that is demoted and promoted again keeps its setting. If must_look is true, the id is read. Pass true from
-- time to time, more often than a server can be demoted, copy another server's data, and be promoted.
local FIRST_LIFE = 16777216
local LIVES = 2130706432
local function server_life(must_look)
  local setting = cjson and cjson.encode_max_depth
  local life = setting and setting() or 0
  if must_look or life < FIRST_LIFE then
    local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
    life = FIRST_LIFE + tonumber(string.sub(id, 1, 8), 16) % LIVES
    if setting then
      setting(life)
    end
  end
  return life
end
