-- Shared by every script of a semaphore: put in front of it when it is loaded.
--
-- KEYS (all in one hash slot)
--   1 state      hash   epoch, counts, counters, clock; per session `<session>|<field>`
--   2 held       zset   score 0; `<session>:<token>` for one permit, `<session>:<token>+<count>` for a run of them with tokens
--                       without a gap, and `<session>:<token>:<weight>` for a heavy grant (weight other than 1, or a max hold).
--                       Which runs there are is decided by the session, which releases out of them
--   3 queue      zset   score ticket; `<session>/<sequence>/<count>/<weight>/<hold ms or -1>/<since ms>`: a run of waiters with
--                       tickets and sequence numbers without a gap
--   4 sessions   zset   score deadline ms; session
--   5 unclaimed  zset   score 0; `<session>/<sequence>=<token>,<count>,<holders>,<granted at ms>`: a run of grants that the
--                       waiters' client has not read yet; token 0 refuses; 12 digits of sequence, so they are read in order
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

-- The weight of a member of held.
local function weight_of(member)
  return tonumber(string.match(member, '%+(%d+)$') or string.match(member, ':%d+:(%d+)$')) or 1
end

-- The extra weight held, counted anew.
local function count_extra()
  local extra = 0
  for _, member in ipairs(redis.call('ZRANGE', held, 0, -1)) do
    extra = extra + weight_of(member) - 1
  end
  return extra
end

-- `count` permits with tokens from `first` on, as a member of held.
local function run(session, first, count)
  return count == 1 and string.format('%s:%d', session, first) or string.format('%s:%d+%d', session, first, count)
end

-- Takes away what `session` holds and, once that is gone, the session. Its places in the queue stay behind and are dropped
-- when they reach the head. Returns the number of grants taken (if `most`, call again) and their extra weight.
local function drop(session, most)
  local members = redis.call('ZRANGEBYLEX', held, '[' .. session .. ':', '(' .. session .. ';', 'LIMIT', 0, most)
  local gone, grants, extra, rest = {}, 0, 0, nil
  for i = 1, #members do
    local first, count = string.match(members[i], ':(%d+)%+(%d+)$')
    local taken = math.min(tonumber(count) or 1, most - grants)
    gone[i] = members[i]
    if count and taken < tonumber(count) then
      rest = run(session, first + taken, count - taken)
      extra = extra + taken
    else
      extra = extra + weight_of(members[i]) - 1
    end
    grants = grants + taken
    --@audit('expired', session, string.match(members[i], ':(%d+)'), text(taken))
    if grants == most then
      break
    end
  end
  -- First what is added: a set that becomes empty loses its expiry.
  if rest then
    redis.call('ZADD', held, 0, rest)
  end
  if #gone > 0 then
    redis.call('ZREM', held, unpack(gone))
    redis.call('ZREM', limits, unpack(gone))
  end
  if grants < most then
    redis.call('ZREMRANGEBYLEX', unclaimed, '[' .. session .. '/', '(' .. session .. '0')
    redis.call('ZREM', sessions, session)
    local fields = {}
    for i = 1, #SESSION_FIELDS do
      fields[i] = session .. '|' .. SESSION_FIELDS[i]
    end
    redis.call('HDEL', state, unpack(fields))
    --@audit('ended', session)
  end
  return grants, extra
end
