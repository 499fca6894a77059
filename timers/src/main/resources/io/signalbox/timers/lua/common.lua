-- Shared by write and turn: put in front of them when they are loaded.
--
-- KEYS (one shard; all in one hash slot)
--   1 state     hash   format, fence, paused (topics, each between newlines); per session `<session>|number`, `|answer`, `|ids`; per
--                      worker `<session>|topics` (newline-separated)
--   2 seen      zset   score ms; session: when its last request came; a worker's is its end of life
--   3 topics    set    every topic that timers were ever set for
--   then six keys for each topic of the request:
--   due         zset   score as below; timer: when something is next to happen to it: it is due, or its claim ends
--   payloads    hash   timer -> record: `p` payload, `P` metadata newline payload, `r` head newline payload, or `R` head newline
--                      metadata newline payload. A head is a recurrence, and a tab and how many occurrences are over if those are counted
--   marks       hash   timer -> `<token> <attempts> <due>` once it was claimed or put back, and of every recurring timer (token 0: not
--                      claimed at present), or `<d|p|s> <attempts> <due> <reason>` if it is shelved: dead, parked or paused; due as a score
--   shelf       zset   score as below; dead or parked timer: since when. Those are not in due
--   paused      zset   score as below; paused timer: since when. Those are not in due
--   sleepers    zset   score ms; `<session> <inbox>` of a worker: when it has promised to wake
--
-- A score is a millisecond and a place in it: (ms - 2^41) * 4096 + place, so that timers of one millisecond keep the order in which they
-- were set. Exact from 1970 to 2109; after that a millisecond has fewer places.
--
-- A command that the server refuses ends a script half-way. So each kind of command that a script needs is used on `state` and `seen`
-- first, where it says nothing: what is not permitted is refused before it matters.
--
-- Numbers of 16 digits are written by text(), never by `..` or tostring(), which keep 14 digits only.

local FORMAT = '2'
local unpack = unpack or table.unpack
local state, seen, known = KEYS[1], KEYS[2], KEYS[3]
local session, number = ARGV[1], tonumber(ARGV[2])
local in_script, bound = ARGV[3] == '1', tonumber(ARGV[4])
local patience = math.floor(bound / 2)

-- The one reading of the server's clock.
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(micros / 1000)
local soonest = math.ceil(micros / 1000)

local function text(n)
  return string.format('%.0f', n)
end

-- The score of the first place in a millisecond.
local function score(ms)
  return (ms - 2199023255552) * 4096
end

local function millis(of_score)
  return math.floor(of_score / 4096) + 2199023255552
end

-- A moment in ms, of a moment in ms or of `+<ms>` from now.
local function moment_of(due)
  if string.byte(due) == 43 then
    return soonest + tonumber(due)
  end
  return tonumber(due)
end

-- The score for a timer that comes behind those that are there at `ms`.
local last_places = {}
local function place_at(due, ms)
  local places = last_places[due]
  if not places then
    places = {}
    last_places[due] = places
  end
  local first = score(ms)
  local last = places[ms]
  if not last then
    last = redis.call('ZREVRANGEBYSCORE', due, '(' .. text(score(ms + 1)), text(first), 'WITHSCORES', 'LIMIT', 0, 1)[2]
  end
  local at = first
  if last then
    local step = 1
    while math.abs(first) >= 9007199254740992 * step do
      step = step * 2
    end
    at = tonumber(last)
    if at + step < score(ms + 1) then
      at = at + step
    end
  end
  places[ms] = at
  return text(at)
end

-- Uses what both scripts need to read.
local function try_reading()
  redis.call('HGET', state, '')
  redis.call('ZRANGEBYSCORE', seen, '(0', '(0')
  redis.call('ZREVRANGEBYSCORE', seen, '(0', '(0')
end

-- Calls a command with any number of arguments, in pieces.
local function call(command, key, args)
  local count = #args
  if count == 0 then
    return
  elseif count <= 4000 then
    redis.call(command, key, unpack(args))
  else
    for from = 1, count, 4000 do
      redis.call(command, key, unpack(args, from, math.min(from + 3999, count)))
    end
  end
end

-- Who is to be woken. Pushed at the very end: whoever is woken finds everything done.
local woken, order = {}, {}

local function wake(sleepers, member, moment)
  redis.call('ZADD', sleepers, text(moment), member)
  if not woken[member] then
    woken[member] = true
    order[#order + 1] = member
  end
end

-- The two earliest promises: member, moment, member, moment. Those that were not kept are dropped.
local function promises(sleepers)
  local first = redis.call('ZRANGEBYSCORE', sleepers, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 2)
  while first[2] and tonumber(first[2]) < now - patience do
    redis.call('ZREM', sleepers, first[1])
    first = redis.call('ZRANGEBYSCORE', sleepers, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 2)
  end
  return first[1], tonumber(first[2]), first[3], tonumber(first[4])
end

-- Makes sure that a worker wakes by `moment` and a second one within the bound after it.
local function secure(sleepers, moment)
  local first, first_at, second, second_at = promises(sleepers)
  if not first then
    return
  end
  if first_at > moment then
    if first_at <= moment + bound and second then
      wake(sleepers, second, moment)
    else
      wake(sleepers, first, moment)
      if second and second_at > moment + bound then
        wake(sleepers, second, moment + bound)
      end
    end
  elseif second and second_at > moment + bound then
    wake(sleepers, second, moment + bound)
  end
end

-- Adds the pairs of inbox and line to `reply`, or pushes them. What it may not push here the caller is asked to.
local function announce(reply, except)
  for i = 1, #order do
    if order[i] ~= except then
      local name, inbox = string.match(order[i], '^(%S+) (.*)$')
      local pushed = in_script and redis.pcall('RPUSH', inbox, name .. ' wake')
      if type(pushed) == 'number' then
        redis.pcall('PEXPIRE', inbox, 60000)
      else
        reply[#reply + 1] = inbox
        reply[#reply + 1] = name .. ' wake'
      end
    end
  end
  return reply
end

-- Forgets sessions from which nothing was heard for so long that nothing of them can still be on its way.
local function sweep()
  local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', text(now - 3600000), 'LIMIT', 0, 100)
  for i = 1, #gone do
    local prefix = gone[i] .. '|'
    redis.call('HDEL', state, prefix .. 'number', prefix .. 'answer', prefix .. 'ids', prefix .. 'topics')
  end
  if #gone > 0 then
    redis.call('ZREM', seen, unpack(gone))
  end
end
