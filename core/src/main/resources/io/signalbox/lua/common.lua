-- Shared by every script of a semaphore: put in front of it when it is loaded.
--
-- KEYS (all in one hash slot)
--   1 state      hash   epoch, counts, counters, clock; per session `<session>|<field>`
--   2 held       zset   score 0; `<session>:<token>`, with `:<weight>` behind it if the grant is heavy (weight other than 1,
--                       or a max hold). Tokens have 16 digits, so a range of tokens is a lexical range
--   3 queue      zset   score ticket; `<session>/<sequence>/<weight>/<hold ms or -1>/<since ms>`
--   4 sessions   zset   score deadline ms; session
--   5 unclaimed  zset   score 0; `<session>/<sequence>=<token>,<holders>,<granted at ms>`: grants that the waiter's client
--                       has not read yet; token 0 refuses
--   6 limits     zset   score deadline ms; member of held with a max hold
--   7 signals    zset   events only: score expiry ms or inf, a number. An event is a semaphore whose permits are signals: setting
--                       it adds a permit, and who was granted one consumes it
--
-- Numbers of 16 digits are written by '%d', never by `..` or tostring(), which keep 14 digits only.

local unpack = unpack or table.unpack
local state, held, queue, sessions, unclaimed, limits, signals = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local SESSION_FIELDS = { 'number', 'deadline', 'lease', 'inbox', 'label', 'unclaimed', '0', '1' }

-- The one reading of the server's clock.
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function text(number)
  return string.format('%d', number)
end

-- The semaphore's own clock, in ms: the server's, except that it never steps back. Returns now and the offset to keep.
local function clock(last, offset)
  local now = math.floor(micros / 1000) + offset
  if now < last then
    offset = offset + last - now
    now = last
  end
  return now, offset
end

-- Has `key` live for one retention, or as long as signals are kept: until `keep` ms, for ever if that is -1, 0 if there are none.
local function touch(key, retention, keep, now)
  if keep < 0 then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, text(math.max(retention, keep - now)))
  end
end

-- The extra weight of a member of held: its weight - 1.
local function extra_of(member)
  local weight = string.match(member, ':%d+:(%d+)$')
  return weight and tonumber(weight) - 1 or 0
end

-- Takes away what `session` holds and, once that is gone, the session. Its places in the queue stay behind and are dropped
-- when they reach the head. Returns the number of grants taken (if `most`, call again) and their extra weight.
local function drop(session, most)
  local members = redis.call('ZRANGEBYLEX', held, '[' .. session .. ':', '(' .. session .. ';', 'LIMIT', 0, most)
  local extra = 0
  if #members > 0 then
    redis.call('ZREM', held, unpack(members))
    redis.call('ZREM', limits, unpack(members))
    for i = 1, #members do
      extra = extra + extra_of(members[i])
      --@audit('expired', members[i])
    end
  end
  if #members < most then
    redis.call('ZREMRANGEBYLEX', unclaimed, '[' .. session .. '/', '(' .. session .. '0')
    redis.call('ZREM', sessions, session)
    local fields = {}
    for i = 1, #SESSION_FIELDS do
      fields[i] = session .. '|' .. SESSION_FIELDS[i]
    end
    redis.call('HDEL', state, unpack(fields))
    --@audit('ended', session)
  end
  return #members, extra
end
