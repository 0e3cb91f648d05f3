-- Notes what came of a connect to WhatsApp, as far as it says something of the client's version.
--   KEYS[1]  versions of the client
--   ARGV[1]  version
--   ARGV[2]  what the connect was for: 'normal' | 'probe' | 'trial' | 'link'
--   ARGV[3]  outcome: 'accepted' | 'opened' | 'refused' | 'failed' | 'unclear' | 'ended' | 'unused'
--   ARGV[4]  session, <tenant>/<session>
--   ARGV[5]  first pause of a refused version, ms; each later one is twice as long
--   ARGV[6]  longest pause, ms
--   ARGV[7]  pause of a version after a probe without a verdict, ms; each later one in a row is twice as long
--   ARGV[8]  the longest of those, ms
--   ARGV[9]  version that the worker reports if the cluster knows none
--   ARGV[10] '1' if the worker reports that version in any case, else '0'
--   ARGV[11] how long the sessions that try a version stay open before the others follow, ms
-- Returns the version with which all sessions connect from now on if that has changed, else ''.
-- @include redis/now
-- @include workers/version-refusals
local version, purpose, outcome, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local first, longest = tonumber(ARGV[5]), tonumber(ARGV[6])
local own, is_pinned = ARGV[9], ARGV[10] == '1'
-- Links add to the few tries of a trial. More of them prove nothing more.
local MOST_TRIES = 10
local time = now()
local versions, fields = read_versions(KEYS[1])
local current = not is_pinned and fields.current or own
local record = versions[version] or new_record(time)
versions[version] = record

local function save()
  save_version(KEYS[1], version, record)
end

local function is_refused(name)
  return versions[name] and versions[name].state == 'refused' and not is_in_doubt(name, versions[name], fields)
end

-- All sessions connect with this version, if they do not already.
local function follow(name)
  if is_pinned then
    set_worked(KEYS[1], name, versions[name], time)
    return ''
  end
  make_current(KEYS[1], versions, name, time)
  return name ~= current and name or ''
end

-- The newest version with which a session is open that tries it.
local function proven_version()
  return newest_first(versions, function(name, other)
    if name == version or other.state == 'refused' then
      return false
    end
    for _, try in pairs(other.tries) do
      if try.held or (try.openedAt and not try.endedAt) then
        return true
      end
    end
    return false
  end)[1]
end

if outcome == 'refused' and read_refused_alone(fields, time)[session] then
  outcome = 'unclear'
end

if outcome == 'refused' then
  -- Refusals of connects that were under way when the first one came change nothing, unless they end a doubt.
  local is_news = record.state ~= 'refused' or purpose == 'probe' or (tonumber(record.closedUntil) or 0) == 0
    or (is_in_doubt(version, record, fields) and not record.refusers[session])
  if not is_news then
    return ''
  end
  refuse(record, session, time, first, longest)
  save()
  if version ~= current then
    return ''
  end
  save_field(KEYS[1], 'askedAt', time)
  local proven = not is_pinned and is_refused(version) and proven_version()
  return proven and follow(proven) or ''
end

if purpose == 'probe' then
  if outcome == 'opened' or (outcome == 'accepted' and has_worked(version, record, fields)) then
    take_back_refusals(KEYS[1], versions, fields, version, session, time)
    return follow(version)
  end
  if outcome == 'accepted' then
    -- Codes are shown with it. That it can be logged in with is not known before a session is.
    take_back_refusals(KEYS[1], versions, fields, version, session, time)
    clear_refusal(record)
    set_state(record, 'known', time)
    record.acceptedAt = time
  elseif outcome == 'unused' then
    record.probeUntil = time + tonumber(ARGV[7])
  else
    record.misses = (tonumber(record.misses) or 0) + 1
    record.probeAt = time + pause_after(record.misses, tonumber(ARGV[7]), tonumber(ARGV[8]))
    record.probeUntil = nil
  end
  save()
  return ''
end

if purpose == 'normal' then
  if outcome == 'opened' and record.state ~= 'refused' then
    set_worked(KEYS[1], version, record, time)
    if not is_pinned and version == current and not fields.current then
      save_field(KEYS[1], 'current', version)
    end
  end
  return ''
end

-- What is left is the trial of a version that sessions do not report in general.
if version == current then
  return ''
end
if outcome == 'opened' and record.state ~= 'refused' and is_refused(current) then
  take_back_refusals(KEYS[1], versions, fields, version, session, time)
  return follow(version)
end
if purpose == 'link' and outcome == 'opened' and is_newer(version, current) then
  save_field(KEYS[1], 'linking', version)
end
local try = record.tries[session]
if outcome == 'opened' and (try or size_of(record.tries) < MOST_TRIES) then
  record.tries[session] = { at = try and try.at or time, openedAt = time, held = try and try.held, proven = true }
  record.hasWorked = true
  if record.state == 'known' or record.state == 'worked' then
    set_state(record, 'trying', time)
  end
  record.misses, record.tryAt = nil, nil
elseif try and outcome == 'ended' then
  try.held = try.held or (try.openedAt and time - try.openedAt >= tonumber(ARGV[11])) or nil
  try.endedAt = time
elseif try and try.proven then
  try.endedAt = time
elseif try and outcome == 'failed' then
  try.failed = true
elseif try and outcome == 'unclear' then
  try.unclear = true
  -- Tries that one outage has ended count once.
  if (tonumber(record.tryAt) or 0) <= time then
    record.misses = (tonumber(record.misses) or 0) + 1
    record.tryAt = time + pause_after(record.misses, first, longest)
  end
elseif try and outcome == 'unused' then
  record.tries[session] = nil
else
  return ''
end
save()
return ''
