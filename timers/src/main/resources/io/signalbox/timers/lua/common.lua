-- Shared by write and turn: put in front of them when they are loaded.
--
-- KEYS (one shard; all in one hash slot)
--   1 state     hash   fence; per session `<session>|number`, `|answer`, `|ids`; per worker `<session>|topics` (newline-separated)
--   2 seen      zset   score ms; session: when its last request came; a worker's is its end of life
--   3 topics    set    every topic that timers were ever set for
--   then five keys for each topic of the request:
--   due         zset   score ms; timer: when something is next to happen to it: it is due, or its claim ends
--   payloads    hash   timer -> record, which only clients look into
--   marks       hash   timer -> `<token> <attempts> <due>` once it was claimed (token 0: not at present), or
--                      `<d|p|s> <attempts> <due> <reason>` if it is shelved: dead, parked or paused
--   shelf       zset   score ms; shelved timer: since when. Those are not in due
--   sleepers    zset   score ms; `<session> <inbox>` of a worker: when it has promised to wake
--
-- Numbers of 16 digits are written by text(), never by `..` or tostring(), which keep 14 digits only.

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

-- A moment as it is stored, of a moment in ms or of `+<ms>` from now.
local function moment_of(due)
  if string.byte(due) == 43 then
    return text(soonest + tonumber(due))
  end
  return due
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
  local first = redis.call('ZRANGE', sleepers, 0, 1, 'WITHSCORES')
  if first[2] and tonumber(first[2]) < now - patience then
    redis.call('ZREMRANGEBYSCORE', sleepers, '-inf', '(' .. text(now - patience))
    first = redis.call('ZRANGE', sleepers, 0, 1, 'WITHSCORES')
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

-- Adds the pairs of inbox and line to `reply`, or pushes them.
local function announce(reply, except)
  for i = 1, #order do
    if order[i] ~= except then
      local name, inbox = string.match(order[i], '^(%S+) (.*)$')
      if in_script then
        redis.call('RPUSH', inbox, name .. ' wake')
        redis.call('PEXPIRE', inbox, 60000)
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
