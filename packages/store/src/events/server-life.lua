-- Defines server_life(must_look): a number that names this life of this server's data. It is another one after a
-- restart, and on a replica that was promoted, even if it was the primary once before. Whoever finds another number
-- than the one noted beside some data knows that writes may have been lost in between.
--
-- Redis gives its data a new replication id on each of these occasions; the number is made of that. To read it costs
-- more than the rest of most scripts, so the number is kept where only this process has it and loses it when it ends:
-- in cjson's limit on the depth of what it encodes. Scripts share that setting and find it at 1000 in a new process.
-- No script of ours encodes JSON, and for those of others the limit is merely a higher one. SCRIPT FLUSH resets it,
-- which costs one look and changes nothing.
--
-- A process that is demoted and promoted again keeps its setting. So must_look has the id read: give true now and
-- then, more often than a server can be demoted, copy another's data, and be promoted.
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
