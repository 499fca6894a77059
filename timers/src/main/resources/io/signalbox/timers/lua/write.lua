-- What a client has to say about timers, in one atomic step, at most once per number.
--
-- ARGV
--   1 session    2 number    3 push announcements here: 1, or return them: 0    4 bound of taking over, ms    5 topics
--   6.. per topic: name, how many timers are set, how many changes
--   then per topic: id, due, record of each timer that is set; and changes: kind, id, due or '', record or ''
--   due: a moment in ms, or `+<ms>` from now
--
-- Returns { answer, inbox, line, inbox, line, ... }. The answer is 'lost', 'stale', or 1 and 0 for each change, without blanks.

local last = tonumber(redis.call('HGET', state, session .. '|number'))
if not last then
  if number ~= 1 then
    return { 'lost' }
  end
  sweep()
elseif number == last then
  return { redis.call('HGET', state, session .. '|answer') }
elseif number < last then
  return { 'stale' }
end

local topics = tonumber(ARGV[5])
local at = 6 + 3 * topics
local names, results = {}, {}

for t = 1, topics do
  local key = 5 * t - 1
  local due, payloads, marks, shelf, sleepers = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], KEYS[key + 4]
  local sets, changes = tonumber(ARGV[3 + 3 * t + 1]), tonumber(ARGV[3 + 3 * t + 2])
  names[t] = ARGV[3 + 3 * t]
  local earliest

  local function put(id, when)
    local moment = moment_of(when)
    local value = tonumber(moment)
    if not earliest or value < earliest then
      earliest = value
    end
    return moment
  end

  if sets > 0 then
    local ids, moments, records = {}, {}, {}
    for i = 1, sets do
      local id = ARGV[at]
      ids[i] = id
      moments[2 * i - 1] = put(id, ARGV[at + 1])
      moments[2 * i] = id
      records[2 * i - 1] = id
      records[2 * i] = ARGV[at + 2]
      at = at + 3
    end
    call('HSET', payloads, records)
    call('ZADD', due, moments)
    call('HDEL', marks, ids)
    call('ZREM', shelf, ids)
  end

  for i = 1, changes do
    local kind, id, when, record = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local done = false
    at = at + 4

    local function put_back()
      redis.call('ZREM', shelf, id)
      redis.call('HDEL', marks, id)
      redis.call('ZADD', due, put(id, when), id)
      done = true
    end
    local function forget()
      redis.call('ZREM', due, id)
      redis.call('ZREM', shelf, id)
      redis.call('HDEL', marks, id)
      done = redis.call('HDEL', payloads, id) == 1
    end

    if kind == 'keep' then
      if redis.call('HGET', payloads, id) ~= record then
        redis.call('HSET', payloads, id, record)
        put_back()
      end
    elseif kind == 'cancel' then
      forget()
    elseif kind == 'pause' then
      local moment = redis.call('ZSCORE', due, id)
      if moment then
        local mark = redis.call('HGET', marks, id)
        local first = mark and string.match(mark, '^%d+ %d+ (%d+)$') or moment
        redis.call('ZREM', due, id)
        redis.call('ZADD', shelf, text(now), id)
        redis.call('HSET', marks, id, 's 0 ' .. first .. ' ')
        done = true
      end
    else
      local mark = redis.call('HGET', marks, id)
      local shelved = mark and string.match(mark, '^[dps]')
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

redis.call('SADD', known, unpack(names))
local answer = table.concat(results)
redis.call('HSET', state, session .. '|number', text(number), session .. '|answer', answer)
redis.call('ZADD', seen, text(now), session)
return announce({ answer })
