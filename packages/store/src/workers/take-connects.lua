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
--   ARGV[9…] sessions that wait and may try a new version, <tenant>/<session>
-- Returns {granted to people, granted to others, ms after which a retry may succeed, 'closed' | 'open' | 'probe',
-- version, 1 if a session was opened with it, version to try or '', sessions that are to try it,
-- version to link a phone with, version to link one with if that failed}.
-- A probe is the one connect that an open breaker lets through: with the newest version that WhatsApp has not refused,
-- at once, otherwise with one of the refused ones after its pause.
-- @include redis/now
-- @include workers/read-versions
local urgent, others = tonumber(ARGV[1]), tonumber(ARGV[2])
local rate, reserve = tonumber(ARGV[3]), tonumber(ARGV[4])
local probe_ms, own, is_pinned, trial_ms = tonumber(ARGV[5]), ARGV[6], ARGV[7] == '1', tonumber(ARGV[8])
local MOST_TRIES, ENOUGH_TRIES, PATIENCE, LONGEST_TRIAL_MS, SUSPECTED_FOR_MS = 5, 3, 6, 86400000, 3600000
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
if not is_pinned and is_newer(own, current) and not versions[own] then
  versions[own] = { state = 'known', at = time, foundAt = time, tries = {} }
  save_version(KEYS[2], own, versions[own])
end

-- Counts the tries of a version. A try that was neither opened nor ended is over after some time: its worker died.
local function count_tries(record)
  local count = { all = 0, open = 0, held = 0, failed = 0, first = time }
  for _, try in pairs(record.tries) do
    count.all = count.all + 1
    if not try.openedAt and not try.proven and time - try.at > probe_ms then
      try.failed = true
    end
    if try.failed then
      count.failed = count.failed + 1
    elseif try.held or (try.openedAt and not try.endedAt and time - try.openedAt >= trial_ms) then
      count.held = count.held + 1
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
  forget_old_versions(KEYS[2], versions, current, time)
end

-- Returns the versions for a link and for the one after a link that failed.
local function linking_versions()
  if is_pinned then
    return current, current
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

local function answer(state, version, granted_urgent, granted_others, wait, trying)
  tokens = tokens - granted_urgent - granted_others
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', time))
  redis.call('PEXPIRE', KEYS[1], 60000)
  local record = versions[version]
  local has_worked = record and record.state == 'worked' and (is_pinned or fields.current) and 1 or 0
  local first, second = linking_versions()
  return {
    granted_urgent, granted_others, math.ceil(wait), state,
    version, has_worked, trial or '', trying, first, second,
  }
end

local breaker = versions[current]
if breaker and breaker.state == 'refused' then
  versions[own] = versions[own] or { state = 'known', at = time, foundAt = time, tries = {} }
  local names = is_pinned and { own } or newest_first(versions, function() return true end)
  local probe, opens_at, busy_until = nil, math.huge, 0
  for _, name in ipairs(names) do
    local record = versions[name]
    local closed_until = record.state == 'refused' and (tonumber(record.closedUntil) or 0) or 0
    busy_until = math.max(busy_until, tonumber(record.probeUntil) or 0)
    opens_at = math.min(opens_at, closed_until)
    if closed_until <= time and (not probe or (versions[probe].state == 'refused' and record.state ~= 'refused')) then
      probe = name
    end
  end
  opens_at = math.max(opens_at, busy_until)
  if time < opens_at then
    return answer('open', current, 0, 0, opens_at - time, {})
  end
  if tokens < 1 then
    return answer('open', current, 0, 0, (1 - tokens) * 1000 / rate, {})
  end
  versions[probe].probeUntil = time + probe_ms
  save_version(KEYS[2], probe, versions[probe])
  return answer('probe', probe, urgent > 0 and 1 or 0, urgent > 0 and 0 or 1, probe_ms, {})
end

local to_urgent = math.min(urgent, math.floor(tokens))
local to_others = math.max(0, math.min(others, math.floor(tokens - to_urgent - reserve)))

-- Chooses the sessions that try the version: few in all, one of each tenant, and each of them again when it reconnects.
local trying = {}
if trial then
  local record = versions[trial]
  local count, tenants = 0, {}
  for session in pairs(record.tries) do
    count = count + 1
    tenants[string.match(session, '^[^/]*')] = true
  end
  for index = 9, #ARGV do
    local session = ARGV[index]
    local tenant, try = string.match(session, '^[^/]*'), record.tries[session]
    local is_free = try and not try.failed or (not try and count < MOST_TRIES and not tenants[tenant])
    if #trying < to_others and is_free then
      if not try then
        count = count + 1
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
