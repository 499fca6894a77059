-- Everything a session has to say about its semaphore, in one atomic step, at most once per number.
--
-- ARGV
--   1 session        2 number             3 inbox            4 bound of the work per kind
--   5 announce: 1 pushes announcements here, 0 returns them for the caller to push
--   6 goodbye: 1 ends the session, whatever the number         7 sequence number of the first acquire
--   8 how many runs of acquires: quadruples count, weight, hold ms or -1, waits (1 queues the rest, 0 refuses it)
--   9 how many runs of held that end, because something in them was released: pairs first token, count
--  10 how many runs are left of these: pairs first token, count
--  11 how many heavy releases: pairs token, weight
--  12 how many runs of places in the queue given up: triples sequence, ticket, count
--  13 how many commands: triples; 'resize' n 0 | 'add' n 0 | 'extend' '<token>:<weight>' ms
--     of events: 'signal' <most that are kept> <ms to keep it, or -1> | 'clear' 0 0 | 'consume' n 0, first of all, n being among the released
--  14.. the entries, in this order
--
-- Returns { answer, inbox, announcement, inbox, announcement, ... }, the pairs only with announce = 0. The answer is one of
--   'lost <epoch>'    unknown or ended session        'gap <last>'   an earlier number is missing
--   'stale'           the answer is no longer kept
--   numbers, separated by blanks: now, permits, held, queued, next (-1: nobody waits), more, open (0 in quarantine), how often
--   the queue was lost, token of the first acquire granted here, held before it, ticket of the first acquire queued here; then five
--   lists, each behind its length: granted per run (-1: can never fit); sequence, token, count, holders, granted at of each run of
--   grants to waiters of this session; 1 or 0 per heavy release; how many per run of places given up were still in the queue: its
--   last ones; a number per command

local session, number, inbox = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local bound, announce = tonumber(ARGV[4]), ARGV[5] == '1'
local prefix = session .. '|'

local stored = redis.call('HMGET', state, 'epoch', 'permits', 'extra', 'ticket', 'fence', 'wake', 'clock', 'offset', 'quarantine',
  'refresh', 'retention', 'queued', prefix .. 'number', prefix .. 'deadline', prefix .. 'lease', prefix .. 'unclaimed',
  prefix .. 'inbox', 'grants', 'queues', 'keep')
local now, offset = clock(tonumber(stored[7]) or 0, tonumber(stored[8]) or 0)

local goodbye = ARGV[6] == '1'

-- Plain releases: the runs they were part of end, and what is left of these begins. Returns the extra weight held after it.
local function release(extra)
  local ended, left = tonumber(ARGV[9]), tonumber(ARGV[10])
  local ends_at = 14 + 4 * ARGV[8]
  local at, own, complete = ends_at, session .. ':', true
  for from = 1, ended, 1000 do
    local members = {}
    for i = 1, math.min(1000, ended + 1 - from) do
      local first, count = ARGV[at], ARGV[at + 1]
      members[i] = count == '1' and own .. first or own .. first .. '+' .. count
      extra = extra - count + 1
      at = at + 2
      --@audit('returned', session, first, count)
    end
    complete = redis.call('ZREM', held, unpack(members)) == #members and complete
  end
  if not complete then
    -- They were evicted, or are part of others, because a script failed half-way: cut out of whatever is there, and counted anew.
    for i = ends_at, at - 2, 2 do
      local first, last = tonumber(ARGV[i]), ARGV[i] + ARGV[i + 1] - 1
      local parts = redis.call('ZRANGEBYLEX', held, '[' .. own .. text(first), '(' .. own .. text(last + 1))
      parts[#parts + 1] = redis.call('ZRANGE', held, '(' .. own .. text(first), '[' .. own, 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
      for j = 1, #parts do
        local begins, count = string.match(parts[j], ':(%d+)%+?(%d*)$')
        local ends = begins and begins + (tonumber(count) or 1) - 1 or 0
        if ends >= first then
          redis.call('ZREM', held, parts[j])
          if tonumber(begins) < first then
            redis.call('ZADD', held, 0, run(session, begins, first - begins))
          end
          if ends > last then
            redis.call('ZADD', held, 0, run(session, last + 1, ends - last))
          end
        end
      end
    end
  end
  for from = 1, left, 1000 do
    local members = {}
    for i = 1, math.min(1000, left + 1 - from) do
      local first, count = ARGV[at], ARGV[at + 1]
      members[2 * i - 1] = '0'
      members[2 * i] = count == '1' and own .. first or own .. first .. '+' .. count
      extra = extra + count - 1
      at = at + 2
      --@audit('kept', session, first, count)
    end
    redis.call('ZADD', held, unpack(members))
  end
  if left > 0 or not complete then
    -- A set that was empty in between has lost its expiry.
    touch(held, tonumber(stored[11]), tonumber(stored[20]) or 0, now)
  end
  return complete and extra or count_extra()
end

-- The fast path: plain releases and acquires alone, which fit, with nobody waiting and nothing due. What it decides is what the rest
-- of the script would; if the acquires do not fit, that goes on behind the releases.
local extra, already_released = tonumber(stored[3]), false
if ARGV[6] == '0' and ARGV[11] == '0' and ARGV[12] == '0' and ARGV[13] == '0' and stored[12] == '0' and stored[16] ~= '1'
  and inbox == stored[17] and not stored[20] and now == math.floor(micros / 1000) + tonumber(stored[8])
  and (ARGV[8] == '0' or (ARGV[8] == '1' and ARGV[15] == '1' and ARGV[16] == '-1')) then
  local runs = tonumber(ARGV[8])
  local count = runs == 1 and tonumber(ARGV[14]) or 0
  local deadline, lease = tonumber(stored[14]), tonumber(stored[15])
  if tonumber(stored[13]) == number - 1 and now < deadline and now + lease - deadline < lease / 16 and now < tonumber(stored[6])
    and now < tonumber(stored[10]) and now >= tonumber(stored[9]) then
    if ARGV[9] == '0' then
      -- The first write must be one that a server out of memory still accepts: then it accepts the rest.
      redis.call('PEXPIRE', state, stored[11])
    else
      extra = release(extra)
    end
    already_released = true
    local before = redis.call('ZCARD', held)
    if before == 0 then
      extra = 0
    end
    local weight_held = before + extra
    if weight_held + count <= tonumber(stored[2]) then
      local first = math.max(tonumber(stored[5]) + 1, micros)
      local clock_now, result = text(now), prefix .. number % 2
      local answer = table.concat({ clock_now, stored[2], text(weight_held + count), '0 -1 0 1', stored[19], text(first),
        text(weight_held), text(stored[4] + 1), runs == 1 and '1 ' .. ARGV[14] or '0', '0 0 0 0' }, ' ')
      if count > 0 then
        redis.call('ZADD', held, '0', run(session, first, count))
        if before == 0 then
          redis.call('PEXPIRE', held, stored[11])
        end
        --@audit('granted', session, text(ARGV[7]), text(first), text(count))
        redis.call('HSET', state, 'clock', clock_now, prefix .. 'number', ARGV[2], result, answer, 'extra', text(extra + count - 1),
          'fence', text(first + count - 1), 'grants', text(stored[18] + count))
      else
        redis.call('HSET', state, 'clock', clock_now, prefix .. 'number', ARGV[2], result, answer, 'extra', text(extra))
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

local permits = tonumber(stored[2])
local ticket, fence, wake = tonumber(stored[4]), tonumber(stored[5]), tonumber(stored[6])
local quarantine, refresh, retention = tonumber(stored[9]), tonumber(stored[10]), tonumber(stored[11])
local waiting, lease, keep = tonumber(stored[12]), tonumber(stored[15]), tonumber(stored[20]) or 0
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
      local complete = redis.call('ZREM', held, unpack(over)) == #over
      for i = 1, #over do
        extra = extra - (weight_of(over[i]) - 1)
        --@audit('overheld', over[i])
      end
      if not complete then
        extra = count_extra()
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

if not already_released then
  extra = release(extra)
end
local at = 14 + 4 * ARGV[8] + 2 * ARGV[9] + 2 * ARGV[10]
local released = {}
local function release_heavy(token, weight)
  local member = session .. ':' .. token .. ':' .. weight
  local removed = redis.call('ZREM', held, member)
  if removed == 1 then
    extra = extra - (weight - 1)
    --@audit('returned', session, token, 1)
  end
  redis.call('ZREM', limits, member)
  return removed
end
for i = 1, tonumber(ARGV[11]) do
  released[i] = release_heavy(ARGV[at], ARGV[at + 1])
  at = at + 2
end

local queues = tonumber(stored[19])
-- Whoever was in the queue learns from the number that it was lost, and queues again.
local function forget_queue()
  waiting, queues = 0, queues + 1
  write('queues', text(queues))
end
if waiting > 0 and redis.call('ZCARD', queue) == 0 then
  forget_queue()
end

-- A run of waiters, as a member of queue.
local function place(owner, sequence, count, behind)
  return string.format('%s/%d/%d/%s', owner, sequence, count, behind)
end

-- Places given up: cut out of the runs they are in. Those that are not there any more were granted, and are first of their run.
local given_up = {}
for i = 1, tonumber(ARGV[12]) do
  local sequence, first, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  local last, cut = first + count - 1, 0
  local runs = waiting == 0 and {} or redis.call('ZREVRANGEBYSCORE', queue, text(first), '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local behind = waiting == 0 and {} or redis.call('ZRANGEBYSCORE', queue, '(' .. text(first), text(last), 'WITHSCORES')
  for j = 1, #behind do
    runs[#runs + 1] = behind[j]
  end
  for j = 1, #runs, 2 do
    local owner, begins, length, rest = string.match(runs[j], '^(.-)/(%d+)/(%d+)/(.*)$')
    local ticket = tonumber(runs[j + 1])
    local from, to = math.max(first, ticket), math.min(last, ticket + length - 1)
    if owner == session and from <= to and begins - ticket == sequence - first then
      -- First what is added: a set that becomes empty loses its expiry.
      if from > ticket then
        redis.call('ZADD', queue, text(ticket), place(owner, begins, from - ticket, rest))
      end
      if to < ticket + length - 1 then
        redis.call('ZADD', queue, text(to + 1), place(owner, begins + to + 1 - ticket, ticket + length - 1 - to, rest))
      end
      redis.call('ZREM', queue, runs[j])
      cut = cut + to - from + 1
      --@audit('left', session, text(begins + from - ticket), text(to - from + 1))
    end
  end
  waiting = waiting - cut
  given_up[i] = cut
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
      grants[i] = string.gsub(string.match(members[i], '/0*(%d+=.*)$'), '[=,]', ' ')
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
if first_in_use then
  -- Also if it was evicted.
  extra = 0
end
local weight_held = in_use + extra
local next_token = math.max(fence + 1, micros)
local before = next_token
local open = now >= quarantine

-- Grants `count` permits each of `weight`, and returns the first token.
local adding = {}
local function grant(owner, count, weight, hold)
  local first = next_token
  if weight == 1 and hold < 0 then
    adding[#adding + 1] = '0'
    adding[#adding + 1] = run(owner, first, count)
    extra = extra + count - 1
  else
    for token = first, first + count - 1 do
      local member = string.format('%s:%d:%d', owner, token, weight)
      if hold >= 0 then
        redis.call('ZADD', limits, text(now + hold), member)
        touch(limits, retention, keep, now)
        if now + hold < wake then
          wake = now + hold
          write('wake', text(wake))
        end
      end
      adding[#adding + 1] = '0'
      adding[#adding + 1] = member
    end
    extra = extra + count * (weight - 1)
  end
  if #adding > 2000 then
    redis.call('ZADD', held, unpack(adding))
    adding = {}
  end
  next_token = first + count
  weight_held = weight_held + count * weight
  return first
end

-- Grants to the queue, head first. Heads whose session is dead are dropped, heads that can never fit are refused.
local announcements, order = {}, {}
local alive = { [session] = not goodbye }
-- Tells `count` waiters from `sequence` on that they were granted the tokens from `token` on; 0 refuses all of them.
local function tell(owner, sequence, token, count, holders)
  local fact = string.format('%d %d %d %d', token, count, holders, now)
  if owner == session then
    grants[#grants + 1] = string.format('%d %s', sequence, fact)
    return
  end
  redis.call('ZADD', unclaimed, 0, string.format('%s/%012d=%s', owner, sequence, string.gsub(fact, ' ', ',')))
  write(owner .. '|unclaimed', '1')
  local target = alive[owner]
  if not announcements[target] then
    announcements[target] = {}
    order[#order + 1] = target
  end
  table.insert(announcements[target], string.format('%s %d %s', owner, sequence, fact))
end
local left, look = bound, 2
while open and left > 0 and waiting > 0 and weight_held < permits do
  local heads, blocked = redis.call('ZRANGE', queue, 0, look - 1, 'WITHSCORES'), false
  local done, rest = {}, nil
  for i = 1, #heads, 2 do
    local owner, sequence, count, weight, hold, since = string.match(heads[i], '^(.-)/(%d+)/(%d+)/(%d+)/(-?%d+)/(%d+)$')
    count, weight, hold = tonumber(count), tonumber(weight), tonumber(hold)
    if alive[owner] == nil then
      local known = redis.call('HMGET', state, owner .. '|deadline', owner .. '|inbox')
      alive[owner] = known[1] and tonumber(known[1]) > now and known[2]
    end
    local taken = math.min(count, left)
    if not alive[owner] then
      --@audit('left', owner, sequence, text(taken))
    elseif weight > math.max(permits, 1) then
      tell(owner, sequence, 0, taken, weight_held)
      --@audit('left', owner, sequence, text(taken))
    else
      taken = math.min(taken, math.floor((permits - weight_held) / weight))
      if taken <= 0 then
        blocked = true
        break
      end
      local holders = weight_held + weight
      local first = grant(owner, taken, weight, hold)
      --@audit('granted', owner, sequence, text(first), text(taken))
      if weight == 1 and hold < 0 then
        tell(owner, sequence, first, taken, holders)
      else
        for k = 0, taken - 1 do
          tell(owner, sequence + k, first + k, 1, holders + k * weight)
        end
      end
    end
    done[#done + 1] = heads[i]
    left, waiting = left - taken, waiting - taken
    if taken < count then
      rest = { text(heads[i + 1] + taken), place(owner, sequence + taken, count - taken, table.concat({ weight, hold, since }, '/')) }
      break
    end
    if left == 0 or weight_held >= permits then
      break
    end
  end
  if rest then
    redis.call('ZADD', queue, rest[1], rest[2])
  end
  if #done > 0 then
    redis.call('ZREM', queue, unpack(done))
  end
  if #heads == 0 then
    -- Places were taken away by somebody else.
    forget_queue()
  end
  if blocked or rest then
    break
  end
  look = math.min(4 * look, 128)
end
more = more or left <= 0
if waiting < 1 and stored[12] ~= '0' then
  -- If a script failed half-way, there may be more than were counted.
  waiting = 0
  for _, member in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    waiting = waiting + string.match(member, '^.-/%d+/(%d+)/')
    more = true
  end
end
if #order > 0 then
  touch(unclaimed, retention, keep, now)
end
local first_waiting = waiting == 0

-- New acquires: granted if nobody waits and they fit, else queued or refused.
local granted = {}
local first_token, held_before, first_ticket = next_token, weight_held, ticket + 1
local sequence = tonumber(ARGV[7])
local joining = {}
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
    if taken > 0 then
      local first = grant(session, taken, weight, hold)
      --@audit('granted', session, text(sequence), text(first), text(taken))
    end
    if waits and taken < count then
      joining[#joining + 1] = text(ticket + 1)
      joining[#joining + 1] = place(session, sequence + taken, count - taken, string.format('%d/%d/%d', weight, hold, now))
      --@audit('queued', session, text(sequence + taken), text(ticket + 1), text(count - taken))
      ticket, waiting = ticket + count - taken, waiting + count - taken
    end
  end
  granted[i] = taken
  sequence = sequence + count
  at = at + 4
end
if #adding > 0 then
  redis.call('ZADD', held, unpack(adding))
end
if #joining > 0 then
  redis.call('ZADD', queue, unpack(joining))
end
if first_waiting and waiting > 0 then
  touch(queue, retention, keep, now)
end
if waiting ~= tonumber(stored[12]) then
  write('queued', text(waiting))
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
local answer = string.format('%d %d %d %d %d %d %d %d %d %d %d', now, permits, weight_held, waiting, soonest, more and 1 or 0,
  open and 1 or 0, queues, first_token, held_before, first_ticket)
for _, list in ipairs({ granted, grants, released, given_up, results }) do
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
