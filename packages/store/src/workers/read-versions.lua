-- Defines the functions with which scripts read and change what is known of the versions of the client.
-- The hash has one field for each version, its record as JSON, and fields of its own:
--   current      the version that sessions connect with; none until a session was opened
--   linking      the version with which a phone was linked lately, newer than `current`
--   refusedAlone the sessions that WhatsApp refuses for a reason of their own, with the time of that, as JSON
--   suspectedAt  when a phone could not be linked with `current`, ms
--   askedAt      when a worker last asked for a look at WhatsApp's page, ms
--   attemptAt    when a placer last began such a look, ms
--   named        the version that the page named last
--   checkedAt    when the page last named a version, ms
--   checkError   why it did not, since then
-- A record has:
--   state        known, trying, worked or refused; `at`: when that began, ms; `foundAt`, ms
--   hasWorked    true once a session was opened with it
--   acceptedAt   when a client that is to be linked was shown codes, ms: says nothing yet of logins
--   tries        by session: `at`, `openedAt` and `endedAt` (ms) of the last connect; `proven` if an earlier connect was
--                opened; `held` if one stayed open for long enough; `failed` if none was ever opened; `unclear` if the
--                last one ended for a reason that says nothing of the version
--   tryAt        no further session tries it before, ms: after an unclear end
--   misses       unclear ends in a row, of tries or of probes
--   probeAt      not probed before, ms: after a probe without a verdict
--   probeUntil   a probe of it is under way until then, ms
-- and while it is refused:
--   refusers     the sessions for which it was, a few of them
--   failures     refusals in a row
--   closedUntil  the end of the pause that follows the last one, ms
-- @include redis/forget-unreadable

-- How long a refused version is remembered, and how many of each state are, besides the current one.
local REFUSED_FOR_MS, KEPT = 86400000, { worked = 5, known = 3, trying = 3, refused = 10 }

local function read_versions(key)
  forget_unreadable(key, 'hash')
  local versions, fields = {}, {}
  local flat = redis.call('HGETALL', key)
  for index = 1, #flat, 2 do
    local name, text = flat[index], flat[index + 1]
    if string.find(name, '^%d+%.%d+%.%d+$') then
      local is_json, record = pcall(cjson.decode, text)
      if is_json and type(record) == 'table' and type(record.state) == 'string' and tonumber(record.at) then
        for _, part in ipairs({ 'tries', 'refusers' }) do
          if type(record[part]) ~= 'table' then
            record[part] = {}
          end
        end
        versions[name] = record
      end
    else
      fields[name] = text
    end
  end
  return versions, fields
end

local function parts_of(version)
  local primary, secondary, tertiary = string.match(version, '^(%d+)%.(%d+)%.(%d+)$')
  return { tonumber(primary) or 0, tonumber(secondary) or 0, tonumber(tertiary) or 0 }
end

local function is_newer(version, other)
  local a, b = parts_of(version), parts_of(other)
  for index = 1, 3 do
    if a[index] ~= b[index] then
      return a[index] > b[index]
    end
  end
  return false
end

-- How far the last number of a version may be from that of the one in use. It grows by about 65,000 a day.
local PLAUSIBLE_DISTANCE = 100000000

local function is_plausible(version, current)
  return math.abs(parts_of(version)[3] - parts_of(current)[3]) <= PLAUSIBLE_DISTANCE
end

local function new_record(time)
  return { state = 'known', at = time, foundAt = time, tries = {}, refusers = {} }
end

-- The names of the records for which `fits` holds, newest first.
local function newest_first(versions, fits)
  local names = {}
  for name, record in pairs(versions) do
    if fits(name, record) then
      names[#names + 1] = name
    end
  end
  table.sort(names, is_newer)
  return names
end

local function save_field(key, name, value)
  redis.call('HSET', key, name, type(value) == 'number' and string.format('%.0f', value) or value)
end

local function save_version(key, version, record)
  redis.call('HSET', key, version, cjson.encode(record))
end

local function set_state(record, state, time)
  if record.state ~= state then
    record.state, record.at = state, time
  end
end

-- WhatsApp does not refuse the version any more, as far as is known.
local function clear_refusal(record)
  record.refusers, record.failures, record.closedUntil = {}, nil, nil
  record.misses, record.tryAt, record.probeAt, record.probeUntil = nil, nil, nil, nil
end

-- A session was opened with the version, or is known to work with it.
local function set_worked(key, version, record, time)
  set_state(record, 'worked', time)
  record.hasWorked = true
  clear_refusal(record)
  save_version(key, version, record)
end

-- All sessions connect with this version from now on.
local function make_current(key, versions, version, time)
  versions[version] = versions[version] or new_record(time)
  set_worked(key, version, versions[version], time)
  save_field(key, 'current', version)
  redis.call('HDEL', key, 'suspectedAt')
end

-- Forgets the versions that are not needed any more: not the current one, nor the one that the page names.
local function forget_old_versions(key, versions, current, named, time)
  local function forget(name)
    versions[name] = nil
    redis.call('HDEL', key, name)
  end
  for name, record in pairs(versions) do
    if name ~= current and record.state == 'refused' and time - record.at > REFUSED_FOR_MS then
      forget(name)
    elseif record.state == 'trying' and is_newer(current, name) then
      set_state(record, 'known', time)
      save_version(key, name, record)
    end
  end
  for state, kept in pairs(KEPT) do
    local names = newest_first(versions, function(name, record)
      return name ~= current and record.state == state
    end)
    for index = kept + 1, #names do
      if names[index] ~= named then
        forget(names[index])
      end
    end
  end
end
