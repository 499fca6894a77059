-- What a client has to say about timers, in one atomic step, at most once per number.
--
-- ARGV
--   1 session    2 number    3 push announcements here: 1, or return them: 0    4 bound of taking over, ms    5 topics
--   6 whether timers may be added: 1, or only changed and removed: 0
--   7.. per topic: name, how many timers are set, how many changes
--   then per topic: id, due, record of each timer that is set; and changes: kind, id, due or '', record or ''
--   due: a moment in ms, or `+<ms>` from now
--
-- Returns { answer, inbox, line, inbox, line, ... }. The answer is 'lost', 'stale', 'format <number>', or 1 and 0 for each change, without
-- blanks, and, each behind a blank, the places of the timers that were not set because they recur.

local kept = redis.call('HMGET', state, session .. '|number', 'format', 'paused')
local last = tonumber(kept[1])
if kept[2] and kept[2] ~= FORMAT then
  return { 'format ' .. kept[2] }
elseif not last and number ~= 1 then
  return { 'lost' }
elseif last and number == last then
  return { redis.call('HGET', state, session .. '|answer') }
elseif last and number < last then
  return { 'stale' }
end

try_reading()
redis.call('ZSCORE', seen, '')
-- A server that is out of memory refuses what may add timers here, and accepts the rest, which begins with something that it accepts.
if ARGV[6] == '1' then
  redis.call('HSET', state, 'format', FORMAT)
end
redis.call('HDEL', state, '')
redis.call('ZREM', seen, '')
redis.call('HSET', state, 'format', FORMAT)
redis.call('ZADD', seen, text(now), session)

local topics = tonumber(ARGV[5])
local at = 7 + 3 * topics
local names, results, refused, settings = {}, {}, {}, 0
for t = 1, topics do
  names[t] = ARGV[4 + 3 * t]
end
redis.call('SADD', known, unpack(names))
if not last then
  sweep()
end

for t = 1, topics do
  local key = 6 * t - 2
  local due, payloads, marks, shelf, paused, sleepers = unpack(KEYS, key, key + 5)
  local sets, changes = tonumber(ARGV[5 + 3 * t]), tonumber(ARGV[6 + 3 * t])
  local earliest

  local function put(when)
    local moment = moment_of(when)
    if not earliest or moment < earliest then
      earliest = moment
    end
    return place_at(due, moment)
  end

  if sets > 0 then
    local ids, scores, records = {}, {}, {}
    for i = 1, sets do
      ids[i] = ARGV[at + 3 * i - 3]
    end
    local found = redis.call('HMGET', marks, unpack(ids))
    local n = 0
    for i = 1, sets do
      local from = at + 3 * i - 3
      local id = ARGV[from]
      local stored = found[i] and redis.call('HGET', payloads, id)
      if stored and string.find(stored, '^[rR]') then
        refused[#refused + 1] = text(settings)
      else
        n = n + 1
        ids[n] = id
        scores[2 * n - 1] = put(ARGV[from + 1])
        scores[2 * n] = id
        records[2 * n - 1] = id
        records[2 * n] = ARGV[from + 2]
      end
      settings = settings + 1
    end
    for i = n + 1, sets do
      ids[i] = nil
    end
    at = at + 3 * sets
    call('HSET', payloads, records)
    call('ZADD', due, scores)
    call('HDEL', marks, ids)
    call('ZREM', shelf, ids)
    call('ZREM', paused, ids)
  end

  for i = 1, changes do
    local kind, id, when, record = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local done = false
    at = at + 4

    local function put_back()
      local moment = put(when)
      redis.call('HSET', marks, id, '0 0 ' .. moment)
      redis.call('ZADD', due, moment, id)
      redis.call('ZREM', shelf, id)
      redis.call('ZREM', paused, id)
      done = true
    end
    local function forget()
      redis.call('ZREM', due, id)
      redis.call('ZREM', shelf, id)
      redis.call('ZREM', paused, id)
      redis.call('HDEL', marks, id)
      done = redis.call('HDEL', payloads, id) == 1
    end
    local function shelved_as()
      local mark = redis.call('HGET', marks, id)
      return mark and string.match(mark, '^[dps]')
    end

    if kind == 'keep' then
      -- What recurs as before keeps its schedule, whatever it carries now; what is paused stays paused.
      local stored = redis.call('HGET', payloads, id)
      local there = stored and (redis.call('ZSCORE', due, id) or redis.call('ZSCORE', shelf, id) or redis.call('ZSCORE', paused, id))
      local shelved = there and shelved_as()
      local recurrence, rest = string.match(record, '^.([^\t\n]*)[^\n]*(\n.*)$')
      local former = there and string.match(stored, '^[rR]([^\t\n]*)')
      if former == recurrence and shelved ~= 'd' and shelved ~= 'p' then
        local counted = string.match(stored, '^.[^\t\n]*(\t?%d*)\n')
        record = string.sub(record, 1, 1) .. recurrence .. counted .. rest
        if record ~= stored then
          redis.call('HSET', payloads, id, record)
          done = true
        end
      else
        redis.call('HSET', payloads, id, record)
        if shelved == 's' then
          redis.call('HSET', marks, id, 's 0 ' .. text(score(moment_of(when))) .. ' ')
          done = true
        else
          put_back()
        end
      end
    elseif kind == 'cancel' then
      forget()
    elseif kind == 'pause' then
      local moment = redis.call('ZSCORE', due, id)
      if moment then
        local mark = redis.call('HGET', marks, id)
        local first = mark and string.match(mark, '^%d+ %d+ (-?%d+)$') or text(tonumber(moment))
        redis.call('ZADD', paused, text(score(now)), id)
        redis.call('ZREM', due, id)
        redis.call('HSET', marks, id, 's 0 ' .. first .. ' ')
        done = true
      end
    elseif kind == 'now' then
      local mark = redis.call('HGET', marks, id)
      local moment = redis.call('ZSCORE', due, id)
      if moment and not (mark and string.find(mark, '^[1-9]')) then
        if millis(tonumber(moment)) > now then
          redis.call('ZADD', due, put(text(now)), id)
        end
        done = true
      end
    elseif kind == 'halt' or kind == 'go' then
      -- The whole topic. What is paused anyway stays so.
      local list = redis.call('HGET', state, 'paused') or '\n'
      local from, to = string.find(list, '\n' .. names[t] .. '\n', 1, true)
      if kind == 'halt' and not from then
        redis.call('HSET', state, 'paused', list .. names[t] .. '\n')
        done = true
      elseif kind == 'go' and from then
        redis.call('HSET', state, 'paused', string.sub(list, 1, from) .. string.sub(list, to + 1))
        local head = redis.call('ZRANGEBYSCORE', due, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
        if head then
          local moment = math.max(millis(tonumber(head)), now)
          earliest = earliest and math.min(earliest, moment) or moment
        end
        done = true
      end
    else
      local shelved = shelved_as()
      if kind == 'resume' then
        if shelved == 's' then
          put_back()
        end
      elseif shelved == 'd' or shelved == 'p' then
        if kind == 'requeue' then
          put_back()
        else
          forget()
        end
      end
    end
    results[#results + 1] = done and '1' or '0'
  end

  if earliest then
    secure(sleepers, earliest)
  end
end

local answer = table.concat(results)
if #refused > 0 then
  answer = answer .. ' ' .. table.concat(refused, ' ')
end
redis.call('HSET', state, session .. '|number', text(number), session .. '|answer', answer)
return announce({ answer })
