-- Who holds and who waits. Writes nothing.
--
-- ARGV
--   1 how many holders, and how many waiters, to list
--
-- Returns { } if there is no such semaphore, else
--   { { declared, permits, held, queued, now ms, now us, grants so far }, { holder... }, { waiter... } }
--   holder: { session, label, deadline ms, '<token>' or '<token>:<weight>', max hold ends ms or '' }
--   waiter: { session, label, deadline ms, position, weight, since ms }, the dead ones left out

local limit = tonumber(ARGV[1])
local stored = redis.call('HMGET', state, 'declared', 'permits', 'extra', 'clock', 'offset', 'grants', 'queued')
if not stored[1] then
  return {}
end
local now = clock(tonumber(stored[4]), tonumber(stored[5]))

local known = {}
local function session_of(name)
  if not known[name] then
    known[name] = redis.call('HMGET', state, name .. '|label', name .. '|deadline')
  end
  return known[name][1] or '', known[name][2] or '0'
end

local holders = {}
for _, member in ipairs(redis.call('ZRANGE', held, 0, limit - 1)) do
  local session, grant = string.match(member, '^(.-):(.*)$')
  local label, deadline = session_of(session)
  local first, count = string.match(grant, '^(%d+)%+(%d+)$')
  for i = 0, math.min(tonumber(count) or 1, limit - #holders) - 1 do
    holders[#holders + 1] = { session, label, deadline, first and text(first + i) or grant, redis.call('ZSCORE', limits, member) or '' }
  end
end

local waiters = {}
for _, place in ipairs(redis.call('ZRANGE', queue, 0, limit - 1)) do
  local session, count, weight, since = string.match(place, '^(.-)/%d+/(%d+)/(%d+)/[^/]*/(%d+)$')
  local label, deadline = session_of(session)
  if tonumber(deadline) > now then
    for _ = 1, math.min(tonumber(count), limit - #waiters) do
      waiters[#waiters + 1] = { session, label, deadline, text(#waiters + 1), weight, since }
    end
  end
end

local count = redis.call('ZCARD', held) + stored[3]
return { { stored[1], stored[2], text(count), stored[7], text(now), text(micros), stored[6] }, holders, waiters }
