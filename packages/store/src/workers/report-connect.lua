-- Notes what came of a connect to WhatsApp, as far as it says something of the client's version.
--   KEYS[1]  versions of the client
--   ARGV[1]  version
--   ARGV[2]  what the connect was for: 'normal' | 'probe' | 'trial' | 'link'
--   ARGV[3]  outcome: 'accepted' | 'opened' | 'refused' | 'failed' | 'ended' | 'unused'
--   ARGV[4]  session, <tenant>/<session>
--   ARGV[5]  first pause of a refused version, ms; each later one is twice as long
--   ARGV[6]  longest pause, ms
--   ARGV[7]  how long until the next probe after one without a verdict, ms
--   ARGV[8]  version that the worker reports if the cluster knows none
--   ARGV[9]  '1' if the worker reports that version in any case, else '0'
--   ARGV[10] how long the sessions that try a version stay open before the others follow, ms
-- Returns the version with which all sessions connect from now on if that has changed, else ''.
-- @include redis/now
-- @include workers/read-versions
local version, purpose, outcome, session = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local is_pinned = ARGV[9] == '1'
-- Links add to the few tries of a trial. More of them prove nothing more.
local MOST_TRIES = 10
local time = now()
local versions, fields = read_versions(KEYS[1])
local current = not is_pinned and fields.current or ARGV[8]
local record = versions[version] or { state = 'known', at = time, foundAt = time, tries = {} }
versions[version] = record

local function save()
  save_version(KEYS[1], version, record)
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

if outcome == 'refused' then
  -- Refusals of connects that were under way when the first one came change nothing.
  if record.state == 'refused' and purpose ~= 'probe' and (tonumber(record.closedUntil) or 0) > 0 then
    return ''
  end
  set_state(record, 'refused', time)
  record.failures = (tonumber(record.failures) or 0) + 1
  record.closedUntil = time + math.min(tonumber(ARGV[6]), tonumber(ARGV[5]) * 2 ^ math.min(record.failures - 1, 30))
  record.probeUntil = nil
  if record.tries[session] then
    record.tries[session].failed = true
  end
  save()
  if version ~= current then
    return ''
  end
  save_field(KEYS[1], 'askedAt', time)
  local proven = not is_pinned and proven_version()
  if proven then
    make_current(KEYS[1], versions, proven, time)
    return proven
  end
  return ''
end

if purpose == 'probe' then
  if outcome == 'failed' then
    record.probeUntil = time + tonumber(ARGV[7])
    save()
    return ''
  end
  if is_pinned then
    set_state(record, 'worked', time)
    record.failures, record.closedUntil, record.probeUntil = nil, nil, nil
    save()
    return ''
  end
  make_current(KEYS[1], versions, version, time)
  return version ~= current and version or ''
end

if purpose == 'normal' then
  if outcome == 'opened' and record.state ~= 'refused' then
    set_state(record, 'worked', time)
    save()
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
if purpose == 'link' and outcome == 'opened' and is_newer(version, current) then
  save_field(KEYS[1], 'linking', version)
end
local try = record.tries[session]
local count = 0
for _ in pairs(record.tries) do
  count = count + 1
end
if outcome == 'opened' and (try or count < MOST_TRIES) then
  record.tries[session] = { at = try and try.at or time, openedAt = time, held = try and try.held, proven = true }
  if record.state == 'known' or record.state == 'worked' then
    set_state(record, 'trying', time)
  end
  save()
elseif try and outcome == 'ended' then
  try.held = try.held or (try.openedAt and time - try.openedAt >= tonumber(ARGV[10])) or nil
  try.endedAt = time
  save()
elseif try and (outcome == 'failed' or outcome == 'unused') then
  if try.proven then
    try.endedAt = time
  elseif outcome == 'failed' then
    try.failed = true
  else
    record.tries[session] = nil
  end
  save()
end
return ''
