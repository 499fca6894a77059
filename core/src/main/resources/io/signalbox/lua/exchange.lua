-- Everything a session has to say about its semaphore, in one atomic step, at most once per number.
--
-- ARGV
--   1 session        2 number             3 inbox            4 bound of the work per kind
--   5 announce: 1 pushes announcements here, 0 returns them for the caller to push
--   6 goodbye: 1 ends the session, whatever the number         7 sequence number of the first acquire
--   8 how many runs of acquires: quadruples count, weight, hold ms or -1, waits (1 queues the rest, 0 refuses it)
--   9 how many ranges of released tokens: pairs first, last; all plain, all of this session, none in between left out
--  10 how many single released tokens
--  11 how many heavy releases: pairs token, weight
--  12 how many places in the queue given up: quadruples sequence, weight, hold, since
--  13 how many commands: triples; 'resize' n 0 | 'add' n 0 | 'extend' '<token>:<weight>' ms
--     of events: 'signal' <most that are kept> <ms to keep it, or -1> | 'clear' 0 0 | 'consume' n 0, first of all, n being among the released
--  14.. the entries, in this order
--
-- Returns { answer, inbox, announcement, inbox, announcement, ... }, the pairs only with announce = 0. The answer is one of
--   'lost <epoch>'    unknown or ended session        'gap <last>'   an earlier number is missing
--   'stale'           the answer is no longer kept
--   numbers, separated by blanks: now, permits, held, queued, next (-1: nobody waits), more, open (0 in quarantine), how often
--   the queue was lost, token of the first acquire granted here, held before it; then four lists, each behind its length: granted per run (-1: can never fit); sequence, token,
--   holders, granted at of each grant to a waiter of this session; 1 or 0 per heavy release; a number per command

local session, number, inbox = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local bound, announce = tonumber(ARGV[4]), ARGV[5] == '1'
local prefix = session .. '|'

local stored = redis.call('HMGET', state, 'epoch', 'permits', 'extra', 'ticket', 'fence', 'wake', 'clock', 'offset', 'quarantine',
  'refresh', 'retention', 'queued', prefix .. 'number', prefix .. 'deadline', prefix .. 'lease', prefix .. 'unclaimed',
  prefix .. 'inbox', 'grants', 'queues', 'keep')
local now, offset = clock(tonumber(stored[7]) or 0, tonumber(stored[8]) or 0)

local goodbye = ARGV[6] == '1'

-- The fast path: plain releases and acquires alone, which fit, with nobody waiting and nothing due. What it decides is what the rest
-- of the script would; if the acquires do not fit, that goes on behind the releases.
local already_released = false
if ARGV[6] == '0' and ARGV[11] == '0' and ARGV[12] == '0' and ARGV[13] == '0' and stored[12] ~= '1' and stored[16] ~= '1'
  and inbox == stored[17] and not stored[20] and now == math.floor(micros / 1000) + tonumber(stored[8])
  and (ARGV[8] == '0' or (ARGV[8] == '1' and ARGV[15] == '1' and ARGV[16] == '-1')) then
  local runs, ranges, singles = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
  local count = runs == 1 and tonumber(ARGV[14]) or 0
  local deadline, lease = tonumber(stored[14]), tonumber(stored[15])
  if tonumber(stored[13]) == number - 1 and now < deadline and now + lease - deadline < lease / 16 and now < tonumber(stored[6])
    and now < tonumber(stored[10]) and now >= tonumber(stored[9]) and count <= 2000 and singles <= 2000 then
    local at = 14 + 4 * runs
    if ranges + singles == 0 then
      -- The first write must be one that a server out of memory still accepts: then it accepts the rest.
      redis.call('PEXPIRE', state, stored[11])
    end
    for i = at, at + 2 * ranges - 1, 2 do
      redis.call('ZREMRANGEBYLEX', held, '[' .. session .. ':' .. ARGV[i], '[' .. session .. ':' .. ARGV[i + 1])
      --@audit('released', session, ARGV[i], ARGV[i + 1])
    end
    if singles > 0 then
      local members = {}
      for i = at + 2 * ranges, at + 2 * ranges + singles - 1 do
        members[#members + 1] = session .. ':' .. ARGV[i]
        --@audit('released', session, ARGV[i], ARGV[i])
      end
      redis.call('ZREM', held, unpack(members))
    end
    already_released = true
    local before = redis.call('ZCARD', held)
    local weight_held, permits = before + tonumber(stored[3]), tonumber(stored[2])
    if weight_held + count <= permits then
      local first = math.max(tonumber(stored[5]) + 1, micros)
      local adding, format, member = {}, string.format, session .. ':%d'
      for i = 1, count do
        adding[2 * i - 1] = '0'
        adding[2 * i] = format(member, first + i - 1)
        --@audit('granted', session, ARGV[7] + i - 1, text(first + i - 1), 1)
      end
      if count > 0 then
        redis.call('ZADD', held, unpack(adding))
        if before == 0 then
          redis.call('PEXPIRE', held, stored[11])
        end
      end
      local clock_now = text(now)
      local answer = table.concat({ clock_now, stored[2], text(weight_held + count), '0 -1 0 1', stored[19], text(first),
        text(weight_held), runs == 1 and '1 ' .. ARGV[14] or '0', '0 0 0' }, ' ')
      local result = prefix .. number % 2
      if count > 0 then
        redis.call('HSET', state, 'clock', clock_now, prefix .. 'number', ARGV[2], result, answer, 'fence', text(first + count - 1),
          'grants', text(stored[18] + count))
      else
        redis.call('HSET', state, 'clock', clock_now, prefix .. 'number', ARGV[2], result, answer)
      end
      return { answer }
    end
  end
end

-- The index of deadlines was evicted: make it again from the sessions' own records.
local function restore_sessions()
  local fields = redis.call('HGETALL', state)
  for i = 1, #fields, 2 do
    local owner = string.match(fields[i], '^(.*)|deadline$')
    if owner and owner ~= session then
      redis.call('ZADD', sessions, fields[i + 1], owner)
    end
  end
end

-- Answers that change nothing.
local last, deadline = tonumber(stored[13]), tonumber(stored[14])
if not last or deadline <= now then
  return { 'lost ' .. (stored[1] or '') }
elseif goodbye then
  -- Whatever its number: there is nothing to keep in order any more, and what comes after it is lost.
  number = last
elseif number == last or number == last - 1 then
  local repeated = redis.call('HGET', state, prefix .. number % 2)
  return { repeated or 'stale' }
elseif number < last then
  return { 'stale' }
elseif number > last + 1 then
  return { 'gap ' .. text(last) }
end

local permits, extra = tonumber(stored[2]), tonumber(stored[3])
local ticket, fence, wake = tonumber(stored[4]), tonumber(stored[5]), tonumber(stored[6])
local quarantine, refresh, retention = tonumber(stored[9]), tonumber(stored[10]), tonumber(stored[11])
local queued, lease, keep = stored[12] == '1', tonumber(stored[15]), tonumber(stored[20]) or 0
local kept_before = keep
local more = false
local written = { 'clock', text(now) }
local function write(field, value)
  written[#written + 1] = field
  written[#written + 1] = value
end

if offset ~= tonumber(stored[8]) then
  write('offset', text(offset))
end

-- The first write must be one that a server out of memory still accepts: then it accepts the rest, and releases work.
if now >= refresh then
  for i = 1, #KEYS do
    touch(KEYS[i], retention, keep, now)
  end
  write('refresh', text(now + math.floor(retention / 4)))
else
  touch(state, retention, keep, now)
end

-- Renew the session, in steps of 1/16 lease.
if goodbye then
  redis.call('ZADD', sessions, text(now), session)
  redis.call('HSET', state, prefix .. 'deadline', text(now))
  wake = now
else
  write(prefix .. 'number', text(number))
  if now + lease - deadline >= lease / 16 then
    deadline = now + lease
    if redis.call('ZADD', sessions, text(deadline), session) == 1 then
      restore_sessions()
    end
    write(prefix .. 'deadline', text(deadline))
  end
  if inbox ~= stored[17] then
    write(prefix .. 'inbox', inbox)
  end
end

-- Expire sessions and max holds. `wake` is a lower bound of the next such moment.
if wake <= now then
  local left = bound
  while left > 0 do
    local dead = redis.call('ZRANGEBYSCORE', sessions, '-inf', text(now), 'LIMIT', 0, 1)[1]
    if not dead then
      break
    end
    local taken, weight = drop(dead, left)
    extra, left = extra - weight, left - math.max(taken, 1)
  end
  if left > 0 then
    local over = redis.call('ZRANGEBYSCORE', limits, '-inf', text(now), 'LIMIT', 0, left)
    if #over > 0 then
      redis.call('ZREM', limits, unpack(over))
      redis.call('ZREM', held, unpack(over))
      for i = 1, #over do
        extra = extra - extra_of(over[i])
        --@audit('overheld', over[i])
      end
      left = left - #over
    end
  end
  more = left <= 0
  if more then
    wake = now
  else
    local first = redis.call('ZRANGE', sessions, 0, 0, 'WITHSCORES')[2]
    local limit = redis.call('ZRANGE', limits, 0, 0, 'WITHSCORES')[2]
    wake = math.min(tonumber(first or now + lease), tonumber(limit or now + lease))
  end
  write('wake', text(wake))
end

-- Releases. A range goes in one call, whatever its length.
local at = 14 + 4 * ARGV[8]
for i = 1, already_released and 0 or tonumber(ARGV[9]) do
  redis.call('ZREMRANGEBYLEX', held, '[' .. session .. ':' .. ARGV[at], '[' .. session .. ':' .. ARGV[at + 1])
  --@audit('released', session, ARGV[at], ARGV[at + 1])
  at = at + 2
end
local singles = already_released and 0 or tonumber(ARGV[10])
for from = at, at + singles - 1, 1000 do
  local members = {}
  for i = from, math.min(from + 999, at + singles - 1) do
    members[#members + 1] = session .. ':' .. ARGV[i]
    --@audit('released', session, ARGV[i], ARGV[i])
  end
  redis.call('ZREM', held, unpack(members))
end
if already_released then
  at = 14 + 4 * ARGV[8] + 2 * ARGV[9] + ARGV[10]
else
  at = at + singles
end
local released = {}
local function release_heavy(token, weight)
  local member = session .. ':' .. token .. ':' .. weight
  local removed = redis.call('ZREM', held, member)
  if removed == 1 then
    extra = extra - (weight - 1)
    --@audit('released', session, token, token)
  end
  redis.call('ZREM', limits, member)
  return removed
end
for i = 1, tonumber(ARGV[11]) do
  released[i] = release_heavy(ARGV[at], ARGV[at + 1])
  at = at + 2
end

local unqueued = 0
-- Places given up. One that was granted meanwhile, and not read yet, is given back.
for i = 1, tonumber(ARGV[12]) do
  local sequence, weight, hold, since = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local place = session .. '/' .. sequence
  if redis.call('ZREM', queue, place .. '/' .. weight .. '/' .. hold .. '/' .. since) == 0 then
    local grant = redis.call('ZRANGEBYLEX', unclaimed, '[' .. place .. '=', '(' .. place .. '>', 'LIMIT', 0, 1)[1]
    if grant then
      redis.call('ZREM', unclaimed, grant)
      local token = string.match(grant, '=(%d+),')
      if weight == '1' and hold == '-1' then
        redis.call('ZREM', held, session .. ':' .. token)
        --@audit('released', session, token, token)
      else
        release_heavy(token, weight)
      end
    end
  else
    unqueued = unqueued + 1
    --@audit('left', session, sequence)
  end
  at = at + 4
end

-- Signals that were kept too long. Those that were granted count as the oldest, and those consumed below as granted.
local function in_delivery()
  return redis.call('ZCARD', held) + extra
end
if keep ~= 0 then
  local consumed = ARGV[at] == 'consume' and tonumber(ARGV[at + 1]) or 0
  local over, granted = redis.call('ZCOUNT', signals, '-inf', text(now)), in_delivery() + consumed
  if over > granted then
    redis.call('ZREMRANGEBYRANK', signals, granted, over - 1)
    permits = math.max(0, permits - (over - granted))
    write('permits', text(permits))
  end
end

-- Commands.
local results = {}
for i = 1, tonumber(ARGV[13]) do
  local command, subject, value = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  if command == 'resize' then
    permits = tonumber(subject)
    write('permits', text(permits))
    results[i] = permits
    --@audit('resized', permits)
  elseif command == 'add' then
    if redis.call('HGET', state, 'bounded') == '1' then
      results[i] = -1
    elseif permits + subject > 1000000000 then
      results[i] = -2
    else
      permits = permits + subject
      write('permits', text(permits))
      results[i] = permits
      --@audit('resized', permits)
    end
  elseif command == 'signal' then
    if permits - in_delivery() >= tonumber(subject) then
      results[i] = -3
    else
      ticket, permits = ticket + 1, permits + 1
      redis.call('ZADD', signals, value < 0 and 'inf' or text(now + value), text(ticket))
      keep = (value < 0 or keep < 0) and -1 or math.max(keep, now + value)
      write('permits', text(permits))
      results[i] = 1
      --@audit('resized', permits)
    end
  elseif command == 'clear' then
    local left = math.min(permits, in_delivery())
    redis.call('ZREMRANGEBYRANK', signals, left, -1)
    results[i] = permits - left
    permits = left
    write('permits', text(permits))
    --@audit('resized', permits)
  elseif command == 'consume' then
    permits = math.max(0, permits - subject)
    redis.call('ZPOPMIN', signals, subject)
    write('permits', text(permits))
    results[i] = permits
    --@audit('resized', permits)
  else
    local member = session .. ':' .. subject
    if redis.call('ZSCORE', limits, member) then
      redis.call('ZADD', limits, text(now + value), member)
      wake = math.min(wake, now + value)
      write('wake', text(wake))
      results[i] = 1
    else
      results[i] = 0
    end
  end
  at = at + 3
end

-- Grants to waiters of this session made by others since its last exchange.
local grants = {}
if stored[16] == '1' and not goodbye then
  local members = redis.call('ZRANGEBYLEX', unclaimed, '[' .. session .. '/', '(' .. session .. '0', 'LIMIT', 0, bound)
  if #members > 0 then
    redis.call('ZREM', unclaimed, unpack(members))
    for i = 1, #members do
      grants[i] = string.gsub(string.match(members[i], '/([^/]*)$'), '[=,]', ' ')
    end
  end
  if #members < bound then
    write(prefix .. 'unclaimed', '0')
  else
    more = true
  end
end

local in_use = redis.call('ZCARD', held)
local first_in_use = in_use == 0
local weight_held = in_use + extra
local next_token = math.max(fence + 1, micros)
local before = next_token
local open = now >= quarantine

-- Grants to the queue, head first. Heads whose session is dead are dropped, heads that can never fit are refused.
local adding, announcements, order = {}, {}, {}
local function flush(least)
  if #adding > least then
    redis.call('ZADD', held, unpack(adding))
    adding = {}
  end
end
local function grant(owner, weight, hold)
  local member = owner .. ':' .. text(next_token)
  if weight ~= 1 or hold >= 0 then
    member = member .. ':' .. text(weight)
    if hold >= 0 then
      redis.call('ZADD', limits, text(now + hold), member)
      touch(limits, retention, keep, now)
      if now + hold < wake then
        wake = now + hold
        write('wake', text(wake))
      end
    end
  end
  adding[#adding + 1] = '0'
  adding[#adding + 1] = member
  flush(2000)
  weight_held, extra = weight_held + weight, extra + weight - 1
  next_token = next_token + 1
  return text(next_token - 1)
end
if queued then
  local alive = { [session] = not goodbye }
  local left, blocked = bound, false
  while open and left > 0 and not blocked and weight_held < permits do
    local heads = redis.call('ZRANGE', queue, 0, math.min(left, permits - weight_held) - 1)
    if #heads == 0 then
      break
    end
    local done = {}
    for i = 1, #heads do
      if weight_held >= permits then
        blocked = true
        break
      end
      local owner, sequence, weight, hold = string.match(heads[i], '^(.-)/(%d+)/(%d+)/(-?%d+)/')
      weight, hold = tonumber(weight), tonumber(hold)
      if alive[owner] == nil then
        local known = redis.call('HMGET', state, owner .. '|deadline', owner .. '|inbox')
        alive[owner] = known[1] and tonumber(known[1]) > now and known[2]
      end
      local token
      if not alive[owner] then
        --@audit('left', owner, sequence)
      elseif weight > math.max(permits, 1) then
        token = '0'
        --@audit('left', owner, sequence)
      elseif weight_held + weight > permits then
        blocked = true
        break
      else
        token = grant(owner, weight, hold)
        --@audit('granted', owner, sequence, token, weight)
      end
      done[#done + 1] = heads[i]
      if token then
        local fact = string.format('%s %s %d %d', sequence, token, weight_held, now)
        if owner == session then
          grants[#grants + 1] = fact
        else
          local member = string.format('%s/%s=%s,%d,%d', owner, sequence, token, weight_held, now)
          redis.call('ZADD', unclaimed, 0, member)
          write(owner .. '|unclaimed', '1')
          local target = alive[owner]
          if not announcements[target] then
            announcements[target] = {}
            order[#order + 1] = target
          end
          table.insert(announcements[target], owner .. ' ' .. fact)
        end
      end
    end
    if #done > 0 then
      redis.call('ZREM', queue, unpack(done))
      unqueued = unqueued + #done
      left = left - #done
    end
  end
  more = more or left <= 0
  if #order > 0 then
    touch(unclaimed, retention, keep, now)
  end
end
local waiting = queued and redis.call('ZCARD', queue) or 0
local first_waiting = waiting == 0
local queues = tonumber(stored[19])
if queued and waiting == 0 and unqueued == 0 then
  -- It was evicted. Whoever was in it learns so from the number, and queues again.
  queues = queues + 1
  write('queues', text(queues))
end

-- New acquires: granted if nobody waits and they fit, else queued or refused.
local granted = {}
local first_token, held_before = next_token, weight_held
local joining = {}
local sequence = tonumber(ARGV[7])
at = 14
for i = 1, tonumber(ARGV[8]) do
  local count, weight, hold, waits = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
  local taken = 0
  if weight > math.max(permits, 1) then
    taken = -1
  else
    if waiting == 0 and open then
      taken = math.max(0, math.min(count, math.floor((permits - weight_held) / weight)))
    end
    if weight == 1 and hold < 0 then
      -- The hot path: members of a batch differ in their last six digits only.
      local high = math.floor(next_token / 1000000)
      local low = next_token - high * 1000000
      local base = session .. ':' .. text(high)
      for j = 1, taken do
        if low > 999999 then
          high, low = high + 1, 0
          base = session .. ':' .. text(high)
        end
        adding[#adding + 1] = '0'
        adding[#adding + 1] = low > 99999 and base .. low or base .. string.format('%06d', low)
        low = low + 1
        if j % 1000 == 0 then
          flush(0)
        end
        --@audit('granted', session, sequence + j - 1, text(next_token + j - 1), 1)
      end
      next_token = next_token + taken
      weight_held = weight_held + taken
      flush(2000)
    else
      for j = 1, taken do
        local token = grant(session, weight, hold)
        --@audit('granted', session, sequence + j - 1, token, weight)
      end
    end
    if waits and taken < count then
      local before_sequence, behind_it = session .. '/', string.format('/%d/%d/%d', weight, hold, now)
      for j = taken, count - 1 do
        ticket = ticket + 1
        waiting = waiting + 1
        joining[#joining + 1] = text(ticket)
        joining[#joining + 1] = before_sequence .. text(sequence + j) .. behind_it
        if #joining >= 2000 then
          redis.call('ZADD', queue, unpack(joining))
          joining = {}
        end
        --@audit('queued', session, sequence + j, ticket)
      end
    end
  end
  granted[i] = taken
  sequence = sequence + count
  at = at + 4
end
flush(0)
if #joining > 0 then
  redis.call('ZADD', queue, unpack(joining))
end
if first_waiting and waiting > 0 then
  touch(queue, retention, keep, now)
end
if queued ~= (waiting > 0) then
  write('queued', waiting > 0 and '1' or '0')
end
if next_token > before then
  write('fence', text(next_token - 1))
  write('grants', text(tonumber(stored[18]) + next_token - before))
  if first_in_use then
    touch(held, retention, keep, now)
  end
end
if keep ~= 0 and permits == 0 then
  keep = 0
end
if keep ~= kept_before then
  write('keep', text(keep))
  for i = 1, #KEYS do
    touch(KEYS[i], retention, keep, now)
  end
end
if extra ~= tonumber(stored[3]) then
  write('extra', text(extra))
end
if ticket ~= tonumber(stored[4]) then
  write('ticket', text(ticket))
end

-- The answer.
local soonest = -1
if waiting > 0 then
  soonest = open and wake or math.min(wake, quarantine)
end
local answer = string.format('%d %d %d %d %d %d %d %d %d %d', now, permits, weight_held, waiting, soonest, more and 1 or 0, open and 1 or 0,
  queues, first_token, held_before)
for _, list in ipairs({ granted, grants, released, results }) do
  if #list > 0 then
    answer = answer .. ' ' .. #list .. ' ' .. table.concat(list, ' ')
  else
    answer = answer .. ' 0'
  end
end
if not goodbye then
  write(prefix .. number % 2, answer)
end
redis.call('HSET', state, unpack(written))

-- Announcements, last: whoever is woken finds everything done.
local reply = { answer }
for i = 1, #order do
  local target = order[i]
  if announce then
    redis.call('RPUSH', target, unpack(announcements[target]))
    redis.call('PEXPIRE', target, retention)
  else
    for j = 1, #announcements[target] do
      reply[#reply + 1] = target
      reply[#reply + 1] = announcements[target][j]
    end
  end
end
return reply
