-- Who holds and who waits. Writes nothing.
--
-- ARGV
--   1 how many holders, and how many waiters, to list
--
-- Returns { } if there is no such semaphore, { 'format', found } if its state has another one, else
--   { { declared, permits, held, waiting, now ms, grants so far }, { holder... }, { waiter... } }
--   holder: { session, label, deadline ms, token, weight, since ms or '', max hold ends ms or '' }; of what is kept by a minimum hold the
--     first is no session but who has it, as in common.lua, and both moments are that of its end
--   waiters: { session, label, deadline ms, count, weight, since ms }, alike and next to each other, from the head on, the dead ones left out

local limit = tonumber(ARGV[1])
local stored = redis.call('HMGET', state, 'format', 'epoch', 'declared', 'permits', 'plain', 'listed', 'clock', 'offset', 'gone', 'queued',
  'turn', 'served')
if not stored[2] then
  return {}
elseif stored[1] ~= FORMAT then
  return { 'format', stored[1] or 'none' }
end
local now = clock(tonumber(stored[7]), tonumber(stored[8]))

local known = {}
local function session_of(name)
  if not known[name] then
    local read = redis.call('HMGET', state, name, name .. '|label')
    local record = parse(read[1])
    known[name] = record and { record = record, label = read[2] or '', alive = record.deadline > now } or { alive = false }
  end
  return known[name]
end
local function row(name, ...)
  local found = session_of(name)
  return { name, found.label, text(found.record.deadline), ... }
end

-- What was kept until now is free, though no exchange has said so yet.
local held, free = stored[5] + stored[6], {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', limits, '-inf', text(now))) do
  if string.find(member, ' ', 1, true) then
    held, free[member] = held - weight_of(member), true
  end
end

local holders = {}
for _, member in ipairs(redis.call('ZRANGE', listed, 0, limit - 1)) do
  local name, token, weight = string.match(member, '^(.-):(%d+):(%d+)$')
  local label, ends = string.match(name, ' (.*)$'), redis.call('ZSCORE', limits, member) or ''
  if label and not free[member] then
    holders[#holders + 1] = { name, label, ends, token, weight, '', ends }
  elseif not label and session_of(name).alive then
    holders[#holders + 1] = row(name, token, weight, '', ends)
  end
end

-- What is known of those held by count: the session's own list, and what its last answers granted since that.
local grants = tonumber(stored[9])
for _, name in ipairs(redis.call('ZRANGE', sessions, 0, -1)) do
  local found = session_of(name)
  local record = found.record
  if record then
    grants = grants + record.passed - record.dropped
  end
  local width = found.alive and record.given - record.returned or 0
  if width > 0 and #holders < limit then
    local read, tokens, seen = redis.call('HMGET', state, name .. '|roster', name .. '|0', name .. '|1'), {}, {}
    local function add(first, count, since)
      for token = first, first + math.min(count, limit + width) - 1 do
        if not seen[token] then
          seen[token] = true
          tokens[#tokens + 1] = { token, since }
        end
      end
    end
    for first, count, since in string.gmatch(read[1] or '', ' (%d+)%+(%d+)@(%d+)') do
      add(first + 0, count + 0, since)
    end
    for i = 2, 3 do
      local since, first, count = string.match(read[i] or '', '^= (%d+) %d+ (%d+) (%d+)$')
      if since and count ~= '0' then
        add(first + 0, count + 0, since)
      end
    end
    table.sort(tokens, function(a, b) return a[1] > b[1] end)
    for i = math.min(width, #tokens, limit - #holders), 1, -1 do
      holders[#holders + 1] = row(name, text(tokens[i][1]), '1', tokens[i][2], '')
    end
  end
end

local waiters, waiting, places = {}, 0, 0
local function add_waiters(name, count, weight, since)
  waiting = waiting + count
  if count > 0 and #waiters < limit then
    waiters[#waiters + 1] = row(name, text(count), weight, since)
  end
end
if stored[11] ~= '' and session_of(stored[11]).alive then
  local record = session_of(stored[11]).record
  local since = string.match(redis.call('HGET', state, stored[11] .. '|roster') or '0', '^%d+')
  add_waiters(stored[11], record.admitted - record.passed, '1', since == '0' and text(now) or since)
end
local served = tonumber(stored[12])
local runs = redis.call('ZRANGE', queue, 0, math.max(limit, 1000), 'WITHSCORES')
for i = 1, #runs, 2 do
  local name, count, weight, since = string.match(runs[i], '^(.-)/%d+/(%d+)/(%d+)/[^/]*/(%d+)$')
  count = runs[i + 1] + count - math.max(runs[i + 1] + 0, served)
  if count > 0 then
    places = places + count
    if session_of(name).alive then
      add_waiters(name, count, weight, since)
    end
  end
end

return { { stored[3], stored[4], text(held), text(waiting + math.max(0, stored[10] - places)), text(now), text(grants) },
  holders, waiters }
