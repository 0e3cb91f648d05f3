-- Defines what follows from a refusal of a version of the client. One session alone may be refused for a reason of its
-- own. So a version that has worked is in doubt after its first refusal, until another session was refused as well:
-- meanwhile any other session may probe it at once if it is the one in use. If that is opened, the first one is known to be refused alone. What
-- WhatsApp answers to that one counts for nothing for an hour.
-- @include workers/read-versions

local MOST_REFUSERS, REFUSED_ALONE_FOR_MS, MOST_REFUSED_ALONE = 5, 3600000, 20

local function size_of(set)
  local size = 0
  for _ in pairs(set) do
    size = size + 1
  end
  return size
end

local function has_worked(name, record, fields)
  return record.hasWorked or record.state == 'worked' or name == fields.current
end

local function is_in_doubt(name, record, fields)
  return record.state == 'refused' and has_worked(name, record, fields) and size_of(record.refusers) == 1
end

-- The pause after a number of failures in a row: each is twice as long as the one before.
local function pause_after(count, first, longest)
  return math.min(longest, first * 2 ^ math.min(count - 1, 30))
end

-- Closes a version after a refusal. The count of pauses starts over once a second session confirms the first refusal.
local function refuse(record, session, time, first, longest)
  if record.state ~= 'refused' then
    record.refusers = {}
  end
  local refusers = size_of(record.refusers)
  local is_confirmation = refusers == 1 and not record.refusers[session]
  if refusers < MOST_REFUSERS then
    record.refusers[session] = true
  end
  set_state(record, 'refused', time)
  record.failures = is_confirmation and 1 or (tonumber(record.failures) or 0) + 1
  record.closedUntil = time + pause_after(record.failures, first, longest)
  record.acceptedAt, record.probeUntil = nil, nil
  if record.tries[session] then
    record.tries[session].failed = true
  end
end

-- The sessions that WhatsApp refuses for a reason of their own, by name, with the time at which that was found, ms.
local function read_refused_alone(fields, time)
  local is_json, stored = pcall(cjson.decode, fields.refusedAlone or '')
  local found = {}
  for session, at in pairs(is_json and type(stored) == 'table' and stored or {}) do
    if type(session) == 'string' and type(at) == 'number' and math.abs(time - at) < REFUSED_ALONE_FOR_MS then
      found[session] = at
    end
  end
  return found
end

local function save_refused_alone(key, alone)
  local names = {}
  for session in pairs(alone) do
    names[#names + 1] = session
  end
  table.sort(names, function(a, b)
    return alone[a] > alone[b]
  end)
  for index = MOST_REFUSED_ALONE + 1, #names do
    alone[names[index]] = nil
  end
  if #names == 0 then
    redis.call('HDEL', key, 'refusedAlone')
  else
    save_field(key, 'refusedAlone', cjson.encode(alone))
  end
end

-- WhatsApp takes the version from this session. So the sessions that it has refused are refused for a reason of their
-- own, and what it answered them on other versions is taken back.
local function take_back_refusals(key, versions, fields, version, session, time)
  local alone = read_refused_alone(fields, time)
  alone[session] = nil
  for refused in pairs(versions[version].refusers) do
    if refused ~= session then
      alone[refused] = time
    end
  end
  save_refused_alone(key, alone)
  for name, record in pairs(versions) do
    local before = size_of(record.refusers)
    for refused in pairs(alone) do
      if record.refusers[refused] then
        record.refusers[refused], record.tries[refused] = nil, nil
      end
    end
    local left = size_of(record.refusers)
    if left < before then
      if left == 0 and record.state == 'refused' then
        set_state(record, has_worked(name, record, fields) and 'worked' or 'known', time)
        clear_refusal(record)
      end
      save_version(key, name, record)
    end
  end
end
