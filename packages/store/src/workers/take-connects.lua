-- Takes tokens for connects to WhatsApp out of the bucket that all workers share, and decides which version of the
-- client each of them reports. A bucket that was unused for long is full.
--   KEYS[1]  bucket
--   KEYS[2]  versions of the client
--   ARGV[1]  number of connects that a person waits for
--   ARGV[2]  number of other connects
--   ARGV[3]  tokens that are added in a second, which is also the size of the bucket
--   ARGV[4]  tokens that the others leave to connects that a person waits for
--   ARGV[5]  how long a probe or a try may take until it counts as failed, ms
--   ARGV[6]  version that the worker reports if the cluster knows none
--   ARGV[7]  '1' if the worker reports that version in any case, else '0'
--   ARGV[8]  how long the sessions that try a version stay open before the others follow, ms
--   ARGV[9]  first pause of a refused version, ms
--   ARGV[10] longest pause, ms
--   ARGV[11] number of waiting sessions that follow and may try a new version
--   ARGV[12] number of those after them that were linked before, and may only probe
--   ARGV[13…] sessions that wait, <tenant>/<session>: both of these, then sessions that are to be linked
-- Returns {granted to people, granted to others, ms after which a retry may succeed, 'closed' | 'open' | 'probe',
-- version, 1 if a session was opened with it, version to try or '', sessions that are to try it,
-- version to link a phone with, version to link one with if that failed, session that is to probe or ''}.
-- A probe is the one connect that an open breaker lets through. What an open breaker grants besides is for links.
-- @include redis/now
-- @include workers/version-refusals
local urgent, others = tonumber(ARGV[1]), tonumber(ARGV[2])
local rate, reserve = tonumber(ARGV[3]), tonumber(ARGV[4])
local probe_ms, own, is_pinned, trial_ms = tonumber(ARGV[5]), ARGV[6], ARGV[7] == '1', tonumber(ARGV[8])
local first_pause, longest_pause = tonumber(ARGV[9]), tonumber(ARGV[10])
local try_count, probe_count = tonumber(ARGV[11]), tonumber(ARGV[12])
local MOST_TRIES, ENOUGH_TRIES, PATIENCE, LONGEST_TRIAL_MS, SUSPECTED_FOR_MS = 5, 3, 6, 86400000, 3600000
local FIRST_WAITER, DOUBTFUL_PROBES = 13, 3
local time = now()

forget_unreadable(KEYS[1], 'hash')
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = rate
if bucket[1] then
  -- The clock may have been set back.
  local elapsed = math.max(0, time - (tonumber(bucket[2]) or time))
  tokens = math.min(rate, (tonumber(bucket[1]) or rate) + elapsed * rate / 1000)
end

local versions, fields = read_versions(KEYS[2])
local current = not is_pinned and fields.current or own
if not is_pinned then
  for name in pairs(versions) do
    if name ~= own and not is_plausible(name, current) then
      versions[name] = nil
    end
  end
  if is_newer(own, current) and not versions[own] then
    versions[own] = new_record(time)
    save_version(KEYS[2], own, versions[own])
  end
end
local alone = read_refused_alone(fields, time)

-- Counts the tries of a version. A try that was neither opened nor ended is over after some time: its worker died.
local function count_tries(record)
  local count = { all = 0, held = 0, failed = 0, undecided = 0, first = time }
  for _, try in pairs(record.tries) do
    if not try.openedAt and not try.proven and not try.unclear and time - try.at > probe_ms then
      try.failed = true
    end
    if not try.unclear then
      count.all = count.all + 1
    end
    if try.failed then
      count.failed = count.failed + 1
    elseif try.held or (try.openedAt and not try.endedAt and time - try.openedAt >= trial_ms) then
      count.held = count.held + 1
    elseif not try.openedAt and not try.proven and not try.unclear then
      count.undecided = count.undecided + 1
    end
    count.first = math.min(count.first, try.openedAt or time)
  end
  return count
end

-- Ends the trial of a version if its outcome is known. Returns whether it did.
local function end_trial(version, record)
  local count = count_tries(record)
  local is_small_fleet = count.held > 0 and count.held == count.all
    and time - count.first >= PATIENCE * trial_ms
  if count.held >= ENOUGH_TRIES or is_small_fleet then
    make_current(KEYS[2], versions, version, time)
    current = version
    return true
  end
  if count.failed > MOST_TRIES - ENOUGH_TRIES or time - record.at > LONGEST_TRIAL_MS then
    set_state(record, 'refused', time)
    record.failures, record.closedUntil = 1, time + first_pause
    save_version(KEYS[2], version, record)
    return true
  end
  return false
end

-- The version that a few sessions try before the others follow, if there is one.
local function find_trial()
  local function may_be_tried(states)
    return function(name, record)
      return states[record.state] and is_newer(name, current)
    end
  end
  for _, name in ipairs(newest_first(versions, may_be_tried({ trying = true }))) do
    if not end_trial(name, versions[name]) then
      return name
    end
  end
  return newest_first(versions, may_be_tried({ known = true, worked = true }))[1]
end
local trial = not is_pinned and find_trial() or nil
if not is_pinned then
  forget_old_versions(KEYS[2], versions, current, fields.named, time)
end
local is_refused = versions[current] and versions[current].state == 'refused'

-- The newest version, if it is not the one in use, with which a client may be linked while that one is refused.
local function version_with_codes()
  return newest_first(versions, function(_, record)
    return record.acceptedAt and record.state ~= 'refused'
  end)[1]
end

-- Returns the versions for a link and for the one after a link that failed.
local function linking_versions()
  if is_pinned then
    return current, current
  end
  if is_refused then
    local shown = version_with_codes() or current
    return shown, shown
  end
  local newest = newest_first(versions, function(name, record)
    return record.state ~= 'refused' and is_newer(name, current)
  end)[1] or current
  local linking = fields.linking
  local first = current
  if linking and versions[linking] and versions[linking].state ~= 'refused' and is_newer(linking, current) then
    first = linking
  elseif fields.suspectedAt and time - (tonumber(fields.suspectedAt) or 0) < SUSPECTED_FOR_MS then
    first = newest
  end
  return first, first == current and newest or current
end

local function answer(state, version, granted_urgent, granted_others, wait, trying, prober)
  tokens = tokens - granted_urgent - granted_others
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', time))
  redis.call('PEXPIRE', KEYS[1], 60000)
  local record = versions[version]
  local has_worked = record and record.state == 'worked' and (is_pinned or fields.current) and 1 or 0
  local first, second = linking_versions()
  return {
    granted_urgent, granted_others, math.ceil(wait), state,
    version, has_worked, trial or '', trying or {}, first, second, prober or '',
  }
end

-- The waiting sessions between two places in ARGV. Those that are refused for a reason of their own come last.
local function waiting_sessions(from, to)
  local sessions, last = {}, {}
  for index = from, to do
    local list = alone[ARGV[index]] and last or sessions
    list[#list + 1] = ARGV[index]
  end
  for _, session in ipairs(last) do
    sessions[#sessions + 1] = session
  end
  return sessions
end

-- When this session may probe a version, ms. A pause that is longer than the longest one is that of a clock set back.
local function probe_time(name, session)
  local record = versions[name]
  local at = tonumber(record.probeAt) or 0
  local is_free = name == current and is_in_doubt(name, record, fields) and not record.refusers[session]
  if record.state == 'refused' and not is_free then
    at = math.max(at, tonumber(record.closedUntil) or 0)
  end
  return math.min(at, time + longest_pause)
end

-- The versions that one of these sessions may probe, newest first: only the one in use while that is in doubt, and has
-- not ended several probes without a verdict. No other one is worth a change before that is settled.
local function versions_to_probe(sessions)
  local record = versions[current]
  for _, session in ipairs(is_in_doubt(current, record, fields) and sessions or {}) do
    if not record.refusers[session] and (tonumber(record.misses) or 0) < DOUBTFUL_PROBES then
      return { current }
    end
  end
  return newest_first(versions, function(name)
    return not is_pinned or name == own
  end)
end

-- Finds the best probe for one of these sessions, and when the next one is possible: of a version that is not refused
-- before one that is, by a session that was not refused with it before one that was, of a newer one before an older one.
local function find_probe(sessions, are_linked)
  local best, opens_at = nil, math.huge
  for _, name in ipairs(versions_to_probe(sessions)) do
    local record = versions[name]
    for _, session in ipairs(sessions) do
      local at = probe_time(name, session)
      local rank = (record.state == 'refused' and 2 or 0) + (record.refusers[session] and 1 or 0)
      -- Clients to be linked report a version with codes without a probe. What it lacks is a login.
      local is_useful = are_linked or not record.acceptedAt
      if is_useful then
        opens_at = math.min(opens_at, at)
      end
      if is_useful and at <= time and (not best or rank < best.rank) then
        best = { rank = rank, version = name, session = session }
      end
    end
  end
  return best, opens_at
end

if is_refused then
  versions[own] = versions[own] or new_record(time)
  local busy_until = 0
  for name, record in pairs(versions) do
    if not is_pinned or name == own then
      busy_until = math.max(busy_until, math.min(tonumber(record.probeUntil) or 0, time + probe_ms))
    end
  end
  local last_linked = FIRST_WAITER - 1 + try_count + probe_count
  local linked, unlinked = waiting_sessions(FIRST_WAITER, last_linked), waiting_sessions(last_linked + 1, #ARGV)
  if #linked + #unlinked == 0 then
    (others > 0 and linked or unlinked)[1] = ''
  end
  local probe, opens_at = find_probe(linked, true)
  local is_linked = probe ~= nil
  if not probe then
    local unlinked_opens_at
    probe, unlinked_opens_at = find_probe(unlinked, false)
    opens_at = math.min(opens_at, unlinked_opens_at)
  end
  opens_at = math.max(opens_at, busy_until)
  if probe and opens_at <= time and tokens >= 1 then
    versions[probe.version].probeUntil = time + probe_ms
    save_version(KEYS[2], probe.version, versions[probe.version])
    local to_others = is_linked and others > 0
    return answer('probe', probe.version, to_others and 0 or 1, to_others and 1 or 0, probe_ms, nil, probe.session)
  end
  local wanted = version_with_codes() and urgent or 0
  local links = math.min(wanted, math.floor(tokens))
  if opens_at <= time or links < wanted then
    opens_at = time + math.max(0, 1 - tokens + links) * 1000 / rate
  end
  return answer('open', current, links, 0, math.min(longest_pause, math.max(0, opens_at - time)))
end

local to_urgent = math.min(urgent, math.floor(tokens))
local to_others = math.max(0, math.min(others, math.floor(tokens - to_urgent - reserve)))

-- Chooses the sessions that try the version: few in all, one of each tenant, and each of them again when it reconnects.
-- After an unclear end further ones wait, and then go one at a time until one is opened.
local trying = {}
if trial then
  local record = versions[trial]
  local is_paused = math.min(tonumber(record.tryAt) or 0, time + longest_pause) > time
  local tenants = {}
  for session, try in pairs(record.tries) do
    if try.unclear and not is_paused then
      record.tries[session] = nil
    else
      tenants[string.match(session, '^[^/]*')] = true
    end
  end
  local count, undecided = size_of(record.tries), count_tries(record).undecided
  for index = FIRST_WAITER, FIRST_WAITER - 1 + try_count do
    local session = ARGV[index]
    local tenant, try = string.match(session, '^[^/]*'), record.tries[session]
    local is_open = not is_paused and (not record.misses or undecided == 0) and not alone[session]
    local is_free = try and not try.failed and not try.unclear
      or (not try and is_open and count < MOST_TRIES and not tenants[tenant])
    if #trying < to_others and is_free then
      if not try then
        count, undecided = count + 1, undecided + 1
      end
      tenants[tenant] = true
      record.tries[session] = { at = time, held = try and try.held, proven = try and try.proven }
      trying[#trying + 1] = session
    end
  end
  if #trying > 0 then
    set_state(record, 'trying', time)
    save_version(KEYS[2], trial, record)
  end
end

local missing = (urgent > to_urgent and 1 or 1 + reserve) - (tokens - to_urgent - to_others)
return answer('closed', current, to_urgent, to_others, math.max(0, missing) * 1000 / rate, trying)
