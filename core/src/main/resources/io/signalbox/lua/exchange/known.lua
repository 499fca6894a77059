-- Section: known. Reads the state and the session; answers what changes nothing: other states and formats, sessions that are over,
-- numbers that were answered or leave a gap, words that cannot be true.
-- Provides the facts of the state and, in `me`, of the session; `write`, whose writes are made at the end, all at once.

local session, number, epoch, inbox = ARGV[1], tonumber(ARGV[12]), ARGV[13], ARGV[14]
local bound, announce, goodbye = tonumber(ARGV[15]), ARGV[16] == '1', ARGV[17] == '1'
local stored = redis.call('HMGET', state, 'format', 'epoch', session, 'clock', 'offset', 'permits', 'plain', 'listed', 'ticket', 'fence',
  'turn', 'served', 'queued', 'queues', 'wake', 'refresh', 'retention', 'quarantine', 'keep', 'gone', session .. '|lease',
  session .. '|inbox', 'calm', 'deleted', session .. '|' .. number % 2)
if stored[2] and stored[1] ~= FORMAT then
  return { 'format ' .. (stored[1] or 'none') }
end
if stored[24] and string.sub(stored[24], 1, #epoch + 1) == epoch .. ' ' then
  return { 'lost deleted ' .. string.sub(stored[24], #epoch + 2) }
end
if stored[2] ~= epoch and not (goodbye and epoch == '' and stored[2]) then
  return { 'lost data' }
end
local now, offset = clock(tonumber(stored[4]), tonumber(stored[5]))
local me = parse(stored[3])
if not me or (me.deadline <= now and not goodbye) then
  return { 'lost lapsed' }
end

local words = { returned = tonumber(ARGV[18]), passed = tonumber(ARGV[19]), dropped = tonumber(ARGV[20]), consumed = tonumber(ARGV[21]) }
local contradiction = words.returned > me.given or words.returned < me.returned
  or words.passed > me.admitted or words.passed < me.said
  or words.consumed > words.returned or words.consumed < me.consumed
  or words.dropped > words.passed or words.dropped < me.dropped
if not goodbye then
  if number == me.number or number == me.number - 1 then
    return { stored[25] or 'stale' }
  elseif number < me.number then
    return { 'stale' }
  elseif number > me.number + 1 then
    return { 'gap ' .. text(me.number) }
  elseif contradiction or (string.find(stored[25] or '', ARGV[27], 1, true) or 4) > 3 then
    -- The words cannot be true; or what the session has heard is not what is stored here: this state was taken back, and a copy of that
    -- exchange was executed once more.
    return { 'contradiction' }
  end
end

local permits, plain, heavy = tonumber(stored[6]), tonumber(stored[7]), tonumber(stored[8])
local ticket, fence, turn = tonumber(stored[9]), tonumber(stored[10]), stored[11]
local served, waiting, queues = tonumber(stored[12]), tonumber(stored[13]), tonumber(stored[14])
local wake, refresh, retention = tonumber(stored[15]), tonumber(stored[16]), tonumber(stored[17])
local keep, gone, lease = tonumber(stored[19]) or 0, tonumber(stored[20]), tonumber(stored[21])
local open = now >= tonumber(stored[18])
if heavy > 0 and redis.call('ZCARD', listed) == 0 then
  -- It was evicted: what was listed is free.
  heavy = 0
end
-- Whether keys are kept alive for signals; else it is for permits that a minimum hold keeps.
local signalled = keep < 0 or (keep > 0 and redis.call('ZCARD', signals) > 0)
if keep <= now and not signalled then
  keep = 0
end
local more = false

local written = { 'clock', text(now), 'offset', text(offset) }
local function write(field, value)
  written[#written + 1] = field
  written[#written + 1] = value
end

-- What is removed once all is written: then a script that is refused half-way has either not begun or forgotten nothing.
local unlisted, ended, fields = {}, {}, {}

-- Sessions by name as far as they were looked at; `false` for those that are over. Only living ones change.
local known = { [session] = me }
me.name, me.inbox = session, inbox
local function session_of(name)
  local found = known[name]
  if found == nil then
    local read = redis.call('HMGET', state, name, name .. '|inbox', name .. '|unread', name .. '|roster', name .. '|reads')
    found = parse(read[1])
    if found and found.deadline > now then
      found.name, found.inbox, found.news, found.roster = name, read[2], found.unread == 1 and read[3] or '', read[4]
      found.obeys = (tonumber(read[5]) or 0) > tonumber(FORMAT)
    else
      found = false
    end
    known[name] = found
  end
  return found
end

-- Others that have something to hear, in the order in which it began to concern them.
local concerned = {}
local function concern(other)
  if other ~= me and not other.concerned then
    other.concerned = true
    concerned[#concerned + 1] = other
  end
end

-- The first write must be one that a server out of memory still accepts: then it accepts the rest, and releases work.
if now >= refresh then
  for i = 1, 6 do
    touch(KEYS[i], retention, keep, now)
  end
  refresh = now + math.floor(retention / 4)
  write('refresh', text(refresh))
else
  touch(state, retention, keep, now)
end
