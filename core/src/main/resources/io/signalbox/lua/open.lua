-- Creates or joins a semaphore and begins a session. Safe to repeat.
--
-- ARGV
--   1 session         2 session of the same client that ends here, or ''
--   3 label           4 inbox            5 lease ms        6 retention ms
--   7 declared count, or -1 to join only                   8 bounded, 1 or 0
--   9 quarantine, 1 or 0                10 epoch to give to a new state
--  11 epoch the client knew, or ''      12 last number acknowledged to the session of ARGV[2]
--  13 bound of the work done here       14.. triples: token, weight, remaining hold ms or -1, of grants to re-assert
--
-- Returns one of
--   { 'notfound' }
--   { 'mismatch', declared, bounded }
--   { 'joined', epoch, now, permits, declared, bounded, token... }   the tokens are those of ARGV[14..] held now

local session, previous, label, inbox = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lease, retention = tonumber(ARGV[5]), tonumber(ARGV[6])
local declared, bounded, quarantine = tonumber(ARGV[7]), ARGV[8], ARGV[9] == '1'
local new_epoch, known_epoch, known_number = ARGV[10], ARGV[11], tonumber(ARGV[12])
local bound = tonumber(ARGV[13])

local stored = redis.call('HMGET', state, 'epoch', 'declared', 'bounded', 'permits', 'extra', 'fence', 'wake', 'clock', 'offset',
  'retention', session .. '|number', previous .. '|number', 'keep')
local epoch, permits = stored[1], tonumber(stored[4])
local extra, fence, wake = tonumber(stored[5]) or 0, tonumber(stored[6]) or 0, tonumber(stored[7])
local now, offset = clock(tonumber(stored[8]) or 0, tonumber(stored[9]) or 0)
local keep = tonumber(stored[13]) or 0

-- Validation: nothing has been written yet.
if not epoch then
  if declared < 0 then
    return { 'notfound' }
  end
elseif declared >= 0 and (tonumber(stored[2]) ~= declared or stored[3] ~= bounded) then
  return { 'mismatch', stored[2], stored[3] }
end

local fresh = not epoch
if fresh then
  epoch, permits = new_epoch, declared
  redis.call('HSET', state, 'epoch', epoch, 'declared', declared, 'permits', permits, 'bounded', bounded, 'extra', 0, 'ticket', 0,
    'fence', 0, 'queued', 0, 'grants', 0, 'queues', 0, 'refresh', 0, 'quarantine', quarantine and text(now + lease) or 0)
  -- Fragments of a state that was partly evicted would count against the new one.
  redis.call('DEL', held, queue, sessions, unclaimed, limits, signals)
  --@audit('created', epoch, permits)
else
  touch(state, math.max(retention, tonumber(stored[10]) or 0), keep, now)
  declared, bounded = tonumber(stored[2]), stored[3]
end

local joined = { 'joined', epoch, text(now), text(permits), text(declared), bounded }
if not stored[11] then
  -- The state was lost if its epoch is another one, and rolled back if it knows less than it has told this client.
  local lost = known_epoch ~= '' and (fresh or epoch ~= known_epoch or (stored[12] and tonumber(stored[12]) < known_number))
  for i = 14, #ARGV, 3 do
    lost = lost or tonumber(ARGV[i]) > fence
  end
  if previous ~= '' and stored[12] then
    local taken, weight
    repeat
      taken, weight = drop(previous, bound)
      extra = extra - weight
    until taken < bound
  end
  local free = permits - redis.call('ZCARD', held) - extra
  local deadline = now + lease
  wake = math.min(wake or deadline, deadline)
  if lost then
    for i = 14, #ARGV, 3 do
      local token, weight, hold = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
      if weight <= free then
        local member = session .. ':' .. token
        if weight ~= 1 or hold >= 0 then
          member = member .. ':' .. text(weight)
        end
        redis.call('ZADD', held, 0, member)
        if hold >= 0 then
          redis.call('ZADD', limits, text(now + hold), member)
          wake = math.min(wake, now + hold)
        end
        free, extra = free - weight, extra + weight - 1
        fence = math.max(fence, tonumber(token))
        --@audit('reasserted', member)
      end
    end
  end
  redis.call('ZADD', sessions, text(deadline), session)
  redis.call('HSET', state, session .. '|number', 0, session .. '|deadline', text(deadline), session .. '|lease', text(lease),
    session .. '|inbox', inbox, session .. '|label', label)
end
for i = 14, #ARGV, 3 do
  local member = session .. ':' .. ARGV[i]
  if redis.call('ZSCORE', held, member) or redis.call('ZSCORE', held, member .. ':' .. ARGV[i + 1]) then
    joined[#joined + 1] = ARGV[i]
  end
end

retention = math.max(retention, 3 * lease, tonumber(stored[10]) or 0)
redis.call('HSET', state, 'extra', text(extra), 'fence', text(fence), 'clock', text(now), 'offset', text(offset),
  'wake', text(wake or now), 'retention', text(retention), 'refresh', text(now + math.floor(retention / 4)))
for i = 1, #KEYS do
  touch(KEYS[i], retention, keep, now)
end
return joined
