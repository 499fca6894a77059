-- Creates or joins a semaphore and begins a session. Safe to repeat, which renews the session.
--
-- ARGV
--   1 session         2 session of the same client that ends here, or ''
--   3 label           4 inbox            5 lease ms        6 retention ms
--   7 declared count, or -1 to join only                   8 bounded, 1 or 0
--   9 quarantine and longest lease, 0   10 epoch to give to a new state
--  11 format that the client reads, `.1` behind it if it hears orders                 12 plain permits to put back
--  13 largest token that the client was ever granted here
--  14 if it exists with another declaration: fail, attach, resize (it is changed), again (as fail, unless it was changed)
--  15.. triples: token, weight, remaining hold ms or -1, of listed permits to put back
--
-- Returns one of
--   { 'notfound' }
--   { 'mismatch', declared, bounded }
--   { 'format', found }                     nothing was written
--   { 'lease', longest }                    nothing was written: the semaphore allows no longer lease
--   { 'over' }                              the session has exchanged, or is over
--   { 'joined', epoch, now, permits, declared, bounded, width, longest lease, token... }   the tokens are those of ARGV[15..] held now

local session, previous, label, inbox = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lease, retention = tonumber(ARGV[5]), tonumber(ARGV[6])
local declared, bounded, longest = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local floor, policy = tonumber(ARGV[13]), ARGV[14]

local stored = redis.call('HMGET', state, 'format', 'epoch', 'declared', 'bounded', 'permits', 'plain', 'listed', 'fence', 'wake',
  'clock', 'offset', 'retention', 'keep', 'turn', 'gone', 'calm', session, previous, 'longest', 'redeclared')
local epoch, permits = stored[2], tonumber(stored[5])
local now, offset = clock(tonumber(stored[10]) or 0, tonumber(stored[11]) or 0)
local keep = tonumber(stored[13]) or 0
local mine = parse(stored[17])
local other = epoch and declared >= 0 and (tonumber(stored[3]) ~= declared or stored[4] ~= bounded)

-- Validation: nothing has been written yet.
if epoch and stored[1] ~= FORMAT then
  return { 'format', stored[1] or 'none' }
elseif not epoch then
  if declared < 0 then
    return { 'notfound' }
  end
elseif other and (policy == 'fail' or (policy == 'again' and stored[20] ~= '1')) then
  return { 'mismatch', stored[3], stored[4] }
end
if epoch then
  longest = tonumber(stored[19]) or 0
  if not mine and longest > 0 and lease > longest then
    return { 'lease', text(longest) }
  end
end
if mine and (mine.number > 0 or mine.deadline <= now) then
  return { 'over' }
end

local plain, heavy, gone = tonumber(stored[6]) or 0, tonumber(stored[7]) or 0, tonumber(stored[15]) or 0
local fence, wake = math.max(tonumber(stored[8]) or 0, floor), tonumber(stored[9])
local turn, calm, fresh = stored[14] or '', stored[16] or '', not epoch
retention = math.max(retention, 3 * lease, tonumber(stored[12]) or 0)
local created = {}
if fresh then
  epoch, permits = ARGV[10], declared
  calm = (longest > 0 or offset ~= 0) and '' or epoch .. ' ' .. text(permits)
  created = { 'format', FORMAT, 'epoch', epoch, 'declared', text(declared), 'permits', text(permits), 'bounded', bounded,
    'ticket', '0', 'served', '0', 'queued', '0', 'queues', '0', 'quarantine', longest > 0 and text(now + longest) or '0',
    'longest', text(longest) }
  -- This also is what a server out of memory refuses.
  try_reading()
  -- Fragments of a state that was partly evicted would count against the new one.
  redis.call('DEL', listed, limits, signals, queue, sessions)
  --@audit('created', epoch, permits)
else
  touch(state, retention, keep, now)
  -- Once: a repetition must not undo what was declared since.
  if other and policy == 'resize' and not mine then
    permits = declared
    calm = calm ~= '' and epoch .. ' ' .. text(permits) or ''
    created = { 'declared', text(declared), 'bounded', bounded, 'permits', text(permits), 'redeclared', '1' }
  else
    declared, bounded = tonumber(stored[3]), stored[4]
  end
  try_writing(now)
  try_reading()
end
touch(queue, retention, keep, now)
if offset ~= 0 then
  calm = ''
end

-- First the state, all at once, then what is added and what is removed.
local ended, members, added, limiting = {}, {}, {}, {}
if mine then
  mine.deadline = now + lease
else
  local former = previous ~= '' and parse(stored[18])
  if former then
    members = redis.call('ZRANGEBYLEX', listed, '[' .. previous .. ':', '(' .. previous .. ';')
    for i = 1, #members do
      heavy = heavy - weight_of(members[i])
    end
    plain, gone = plain - (former.given - former.returned), gone + former.said - former.dropped
    turn = turn == previous and '' or turn
    add_fields(ended, previous)
    --@audit('ended', previous)
  end
  wake = math.min(wake or now + lease, now + lease)
  local width = math.max(0, math.min(tonumber(ARGV[12]), permits - plain - heavy))
  mine = { number = 0, given = width, returned = 0, admitted = 0, passed = 0, restrained = 0, consumed = 0, dropped = 0, said = 0,
    deadline = now + lease, unread = 0 }
  plain = plain + width
  --@audit('begun', session, text(width))
  for i = 15, #ARGV, 3 do
    local weight, hold = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    if weight <= permits - plain - heavy then
      local member = session .. ':' .. ARGV[i] .. ':' .. text(weight)
      added[#added + 1] = 0
      added[#added + 1] = member
      if hold >= 0 then
        limiting[#limiting + 1] = text(now + hold)
        limiting[#limiting + 1] = member
        wake = math.min(wake, now + hold)
      end
      heavy = heavy + weight
      --@audit('reasserted', member)
    end
  end
end
if heavy > 0 then
  calm = ''
end
local refresh = now + math.floor(retention / 4)
local written = { session, record_of(mine), session .. '|lease', text(lease), session .. '|inbox', inbox,
  session .. '|label', label, session .. '|reads', ARGV[11], 'plain', text(plain), 'listed', text(heavy), 'gone', text(gone),
  'fence', text(fence), 'clock', text(now), 'offset', text(offset), 'wake', text(wake or now), 'turn', turn, 'calm', calm,
  'retention', text(retention), 'refresh', text(refresh), 'due', text(math.min(wake or now, refresh)) }
for i = 1, #created do
  written[#written + 1] = created[i]
end
redis.call('HSET', state, unpack(written))
redis.call('ZADD', sessions, text(mine.deadline), session)
each_piece('ZADD', listed, added)
each_piece('ZADD', limits, limiting)
each_piece('ZREM', listed, members)
each_piece('ZREM', limits, members)
if #ended > 0 then
  redis.call('HDEL', state, unpack(ended))
  redis.call('ZREM', sessions, previous)
end
for i = 1, 6 do
  touch(KEYS[i], retention, keep, now)
end

local joined = { 'joined', epoch, text(now), text(permits), text(declared), bounded, text(mine.given - mine.returned),
  text(longest) }
for i = 15, #ARGV, 3 do
  if redis.call('ZSCORE', listed, session .. ':' .. ARGV[i] .. ':' .. ARGV[i + 1]) then
    joined[#joined + 1] = ARGV[i]
  end
end
return joined
