-- A worker's turn, in one atomic step, at most once per number: settles what became of its timers, then takes more.
--
-- ARGV
--   1 session    2 number    3 push announcements here: 1, or return them: 0    4 bound of taking over, ms    5 topics
--   6 inbox, empty if the worker is not to be woken    7 former inbox, or empty    8 lease of claims, ms    9 heartbeat, ms
--   10 horizon: take nothing that is due later, 0 for now    11 capacity    12 goodbye: 1 ends the session
--   13 names of the topics, newline-separated, if they are to be made known; else empty
--   14 how many dead and parked timers of a topic are kept, 0 for all    15 for how long, ms, 0 for ever
--   16.. per topic, those first that are to be served first: limit of claims, room for timers in all, how many runs of settlements
--       (a limit below the room: what else the worker needs for them, it has not got yet)
--   then the runs, topic by topic: kind, token, count (at most 1000), the ids, and as many dues (y, n), dues and heads (m), or shelves and
--   reasons (s).
--   Kinds: a acknowledge, y retry, h hand back, n repeat, m repeat with another head of the record, s shelve, r renew
--
-- Returns { answer, ids, inbox, line, inbox, line, ... } with the pairs only if they are not pushed here, or, with claims,
-- { answer, ids, record, ..., inbox, line, ... }. The answer is 'lost', 'stale', 'format <number>', or numbers separated by blanks:
-- server time in us, moment to wake at in ms, token, then three lists, each behind its length: topic, due, attempt of each claim; place and taken (1, 0) of
-- each settlement without effect; topics with more timers due; and how many dead timers were dropped. Topics and places count from 0. The ids of the claims are separated by newlines.

local number_field, answer_field, ids_field = session .. '|number', session .. '|answer', session .. '|ids'
local kept = redis.call('HMGET', state, number_field, 'fence', 'format', 'paused')
local last = tonumber(kept[1])
local topics = tonumber(ARGV[5])

if kept[3] and kept[3] ~= FORMAT then
  return { 'format ' .. kept[3] }
elseif not last and number ~= 1 then
  return { 'lost' }
elseif last and number == last then
  -- Said before. The claims are read again; those that were lost since have no record.
  local stored = redis.call('HMGET', state, answer_field, ids_field)
  local answer, ids = stored[1], stored[2]
  if not answer then
    return { 'stale' }
  end
  local token, count, rest = string.match(answer, '^%d+ (%d+) (%d+) ?(.*)$')
  local reply = { text(micros) .. ' ' .. answer, ids }
  local names = string.gmatch(ids, '[^\n]+')
  local facts = string.gmatch(rest, '%d+')
  for i = 1, tonumber(count) do
    local topic, id = tonumber(facts()), names()
    facts()
    facts()
    local key = 4 + 6 * topic
    local mark = redis.call('HGET', KEYS[key + 2], id)
    local mine = mark and string.match(mark, '^%d+') == token
    reply[#reply + 1] = mine and redis.call('HGET', KEYS[key + 1], id) or ''
  end
  return reply
elseif last and number < last then
  return { 'stale' }
end

local inbox, former = ARGV[6], ARGV[7]
local lease, heartbeat, horizon = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local capacity, goodbye, present = tonumber(ARGV[11]), ARGV[12] == '1', ARGV[13]
local most_dead, dead_age = tonumber(ARGV[14]), tonumber(ARGV[15])
local me = session .. ' ' .. inbox
local token = text(math.max((tonumber(kept[2]) or 0) + 1, micros))

try_reading()
if most_dead > 0 then
  redis.call('ZCARD', seen)
end
-- The first write is one that a server out of memory still accepts: then it accepts the rest, and acknowledging works.
for t = 1, topics do
  redis.call('ZREM', KEYS[3 + 6 * t], me, former ~= '' and session .. ' ' .. former or me)
end
redis.call('HSET', state, 'format', FORMAT)
redis.call('HDEL', state, '')
redis.call('ZADD', seen, 'XX', 0, '')
if not last then
  sweep()
end

-- Whether the topic was paused as a whole. Its name is the end of each of its keys.
local function is_paused(t)
  return kept[4] and string.find(kept[4], '\n' .. string.sub(KEYS[3 + 6 * t], #state + 5) .. '\n', 1, true)
end

-- Settlements.
local at = 16 + 3 * topics
local place = 0
local misses = {}
local dropped = 0
local lease_end = text(score(now + lease))
for t = 1, topics do
  local key = 6 * t - 2
  local due, payloads, marks, shelf = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3]
  for _ = 1, tonumber(ARGV[15 + 3 * t]) do
    local kind, prefix, count = ARGV[at], ARGV[at + 1] .. ' ', tonumber(ARGV[at + 2])
    local before, length = at + 2, #prefix
    local found = redis.call('HMGET', marks, unpack(ARGV, before + 1, before + count))
    local ids, hits = {}, {}
    local n = 0
    for i = 1, count do
      local mark = found[i]
      if mark and string.sub(mark, 1, length) == prefix then
        n = n + 1
        ids[n] = ARGV[before + i]
        hits[n] = i
      else
        misses[#misses + 1] = place + i - 1
        misses[#misses + 1] = mark and string.find(mark, '^[1-9]') and 1 or 0
      end
    end
    if n > 0 then
      if kind == 'a' then
        redis.call('ZREM', due, unpack(ids))
        redis.call('HDEL', payloads, unpack(ids))
        redis.call('HDEL', marks, unpack(ids))
      elseif kind == 's' then
        local written, shelved = {}, {}
        for i = 1, n do
          local attempts, first = string.match(found[hits[i]], '^%d+ (%d+) (-?%d+)$')
          local extra = before + count + hits[i]
          written[2 * i - 1] = ids[i]
          written[2 * i] = ARGV[extra] .. ' ' .. attempts .. ' ' .. first .. ' ' .. ARGV[extra + count]
          shelved[2 * i - 1] = text(score(now))
          shelved[2 * i] = ids[i]
        end
        -- The mark, which a repetition would not find again, comes last.
        redis.call('ZADD', shelf, unpack(shelved))
        redis.call('ZREM', due, unpack(ids))
        redis.call('HSET', marks, unpack(written))
      else
        local scores, written = {}, {}
        for i = 1, n do
          local id, moment = ids[i], lease_end
          if kind == 'n' or kind == 'm' then
            moment = place_at(due, moment_of(ARGV[before + count + hits[i]]))
            written[#written + 1] = id
            written[#written + 1] = '0 0 ' .. moment
          elseif kind ~= 'r' then
            local attempts, first = string.match(found[hits[i]], '^%d+ (%d+) (-?%d+)$')
            if kind == 'h' then
              -- One that was to run at once is still to run at once.
              attempts, moment = text(attempts - 1), text(math.min(tonumber(first), score(now)))
            else
              moment = place_at(due, moment_of(ARGV[before + count + hits[i]]))
            end
            written[#written + 1] = id
            written[#written + 1] = '0 ' .. attempts .. ' ' .. first
          end
          if kind == 'm' then
            local record = redis.call('HGET', payloads, id)
            local rest = record and string.match(record, '^[rR][^\n]*(\n.*)$')
            if rest then
              redis.call('HSET', payloads, id, string.sub(record, 1, 1) .. ARGV[before + 2 * count + hits[i]] .. rest)
            end
          end
          scores[2 * i - 1] = moment
          scores[2 * i] = id
        end
        call('ZADD', due, scores)
        call('HSET', marks, written)
      end
    end
    place = place + count
    at = before + 1 + count
    if kind == 's' or kind == 'm' then
      at = at + 2 * count
    elseif kind == 'y' or kind == 'n' then
      at = at + count
    end
  end
end

-- The oldest dead and parked timers go where there are too many, or when their time is up.
for t = 1, topics do
  local gone = {}
  local key = 6 * t - 2
  if most_dead > 0 then
    local over = redis.call('ZCARD', KEYS[key + 3]) - most_dead
    if over > 0 then
      gone = redis.call('ZRANGEBYSCORE', KEYS[key + 3], '-inf', '+inf', 'LIMIT', 0, math.min(over, 1000))
    end
  end
  if dead_age > 0 and #gone == 0 then
    gone = redis.call('ZRANGEBYSCORE', KEYS[key + 3], '-inf', '(' .. text(score(now - dead_age)), 'LIMIT', 0, 1000)
  end
  if #gone > 0 then
    redis.call('ZREM', KEYS[key + 3], unpack(gone))
    redis.call('HDEL', KEYS[key + 1], unpack(gone))
    redis.call('HDEL', KEYS[key + 2], unpack(gone))
    dropped = dropped + #gone
  end
end

-- What is due, the oldest of each topic first, up to the capacity and each topic's limit. Where there is more than the capacity, each
-- topic has the same share, and what one leaves of its share is for the others.
local ready, total = {}, 0
local until_score = '(' .. text(score((horizon > 0 and math.min(horizon, now) or now) + 1))
for t = 1, topics do
  local limit = math.min(tonumber(ARGV[13 + 3 * t]), capacity)
  ready[t] = limit > 0 and not is_paused(t)
    and redis.call('ZRANGEBYSCORE', KEYS[6 * t - 2], '-inf', until_score, 'WITHSCORES', 'LIMIT', 0, limit) or {}
  total = total + #ready[t] / 2
end
local take = {}
if total > capacity then
  local remaining, wanting = capacity, topics
  for t = 1, topics do
    take[t] = 0
  end
  while remaining > 0 do
    local share = math.max(1, math.floor(remaining / wanting))
    wanting = 0
    for t = 1, topics do
      local more = math.min(share, #ready[t] / 2 - take[t], remaining)
      take[t] = take[t] + more
      remaining = remaining - more
      if take[t] < #ready[t] / 2 then
        wanting = wanting + 1
      end
    end
  end
else
  for t = 1, topics do
    take[t] = #ready[t] / 2
  end
end

-- Claims. No string is made for a timer that another one can share: those of one moment, taken for the first time, have one mark.
local claims, claimed, claimed_ids, claims_of, reply = {}, 0, {}, {}, { '', '' }
for t = 1, topics do
  local key = 6 * t - 2
  local due, payloads, marks = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local list, before_these, topic = ready[t], claimed, text(t - 1)
  local last_first, last_attempt, last_millis, value
  for from = 1, take[t], 1000 do
    local upto = math.min(from + 999, take[t])
    local ids = {}
    for i = from, upto do
      ids[i - from + 1] = list[2 * i - 1]
    end
    local found = redis.call('HMGET', marks, unpack(ids))
    local records = redis.call('HMGET', payloads, unpack(ids))
    local written, scores, n = {}, {}, 0
    for i = 1, upto - from + 1 do
      local id, record, mark = ids[i], records[i], found[i]
      if record then
        local attempt, first = '1', list[2 * (from + i - 1)]
        if mark then
          local before, due_first = string.match(mark, '^%d+ (%d+) (-?%d+)$')
          attempt, first = text((before or 0) + 1), due_first or first
        end
        if first ~= last_first or attempt ~= last_attempt then
          value = token .. ' ' .. attempt .. ' ' .. text(tonumber(first))
          last_first, last_attempt, last_millis = first, attempt, text(millis(tonumber(first)))
        end
        written[n + 1] = id
        written[n + 2] = value
        scores[n + 1] = lease_end
        scores[n + 2] = id
        n = n + 2
        claims[3 * claimed + 1] = topic
        claims[3 * claimed + 2] = last_millis
        claims[3 * claimed + 3] = attempt
        claimed = claimed + 1
        claimed_ids[claimed] = id
        reply[claimed + 2] = record
      else
        -- Its record was evicted or deleted by somebody else: there is nothing left to handle.
        redis.call('ZREM', due, id)
        redis.call('HDEL', marks, id)
      end
    end
    call('HSET', marks, written)
    call('ZADD', due, scores)
  end
  claims_of[t] = claimed - before_these
end

-- The next moments, who wakes then, and what is left.
local free = capacity - claimed
local wake_at = now + heartbeat
local next_moments, roomy, left, passing = {}, {}, {}, {}
for t = 1, topics do
  local due = KEYS[6 * t - 2]
  local head = not is_paused(t) and redis.call('ZRANGEBYSCORE', due, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  local moment = head and millis(tonumber(head)) or nil
  roomy[t] = free > 0 and inbox ~= '' and not goodbye and tonumber(ARGV[14 + 3 * t]) > claims_of[t]
  if moment and moment <= now then
    left[#left + 1] = t - 1
    local after = redis.call('ZRANGEBYSCORE', due, text(score(now + 1)), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    moment = after and millis(tonumber(after)) or nil
    if roomy[t] then
      -- The worker cannot take them yet. If it dies before it can, somebody is to notice.
      moment = math.min(moment or now + bound, now + bound)
    else
      passing[#passing + 1] = t
    end
  end
  next_moments[t] = moment
end
for t = 1, topics do
  local moment = next_moments[t]
  if moment and roomy[t] then
    local first, first_at, second, second_at = promises(KEYS[3 + 6 * t])
    if not first or first_at > moment then
      wake_at = math.min(wake_at, moment)
    elseif not second or second_at > moment + bound then
      wake_at = math.min(wake_at, moment + bound)
    end
  end
end
for t = 1, topics do
  if roomy[t] then
    redis.call('ZADD', KEYS[3 + 6 * t], text(wake_at), me)
  end
end
for t = 1, topics do
  if next_moments[t] then
    secure(KEYS[3 + 6 * t], next_moments[t])
  end
end
for i = 1, #passing do
  local sleepers = KEYS[3 + 6 * passing[i]]
  local first, first_at = promises(sleepers)
  if first and first_at > now then
    wake(sleepers, first, now)
  end
end

-- The answer, kept for a repetition.
local ids = table.concat(claimed_ids, '\n')
local answer = text(wake_at) .. ' ' .. token .. ' ' .. claimed
if claimed > 0 then
  answer = answer .. ' ' .. table.concat(claims, ' ')
end
answer = answer .. ' ' .. text(#misses / 2)
if #misses > 0 then
  answer = answer .. ' ' .. table.concat(misses, ' ')
end
answer = answer .. ' ' .. #left
if #left > 0 then
  answer = answer .. ' ' .. table.concat(left, ' ')
end
answer = answer .. ' ' .. text(dropped)
if goodbye then
  redis.call('HSET', state, 'fence', token)
  redis.call('HDEL', state, number_field, answer_field, ids_field, session .. '|topics')
  redis.call('ZREM', seen, session)
else
  redis.call('HSET', state, 'fence', token, number_field, text(number), answer_field, answer, ids_field, ids)
  if present ~= '' then
    redis.call('HSET', state, session .. '|topics', present)
    redis.call('ZADD', seen, text(now + 3 * heartbeat), session)
  end
end
reply[1], reply[2] = text(micros) .. ' ' .. answer, ids
return announce(reply, me)
