-- Shared by the scripts of a semaphore that need more than a look: pasted in front of them when they are loaded.
--
-- KEYS (all in one hash slot)
--   1 state      hash   format, epoch, counts, clock, settings; per session `<session>`, its record, and `<session>|<field>`
--   2 listed     zset   score 0; `<session>:<token>:<weight>` for each permit that is not counted: weight other than 1, or a max hold.
--                       `<public part of the client's id> <label>:<token>:<weight>` for what was released and is kept by its minimum
--                       hold: the blank tells that it is no session's
--   3 limits     zset   score deadline ms; member of listed with a max hold, or kept
--   4 signals    zset   events only: score expiry ms or inf, a number. An event is a semaphore whose permits are signals: setting it
--                       adds a permit, and who was given one consumes it
--   5 queue      zset   score ticket; `<session>/<sequence>/<count>/<weight>/<hold ms or -1>/<since ms>`: a run of waiters with
--                       tickets and sequence numbers without a gap. Those with tickets below the state's `served` are gone
--   6 sessions   zset   score deadline ms; session
--
-- A record is `number given returned admitted passed restrained consumed dropped said deadline unread`: numbers, see SessionRecord.
--
-- Numbers of 16 digits are written by '%d' or handed over as numbers, never by `..` or tostring(), which keep 14 digits only.

local unpack = unpack or table.unpack
local FORMAT = '2'
local state, listed, limits, signals, queue, sessions = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local SESSION_FIELDS = { '', '|lease', '|inbox', '|label', '|reads', '|unread', '|roster', '|0', '|1' }

-- The one reading of the server's clock.
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]

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

-- The numbers of a record, or nil.
local function parse(record)
  if not record then
    return nil
  end
  local n, g, r, k, p, t, c, x, w, d, u =
    string.match(record, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d)$')
  return { number = n + 0, given = g + 0, returned = r + 0, admitted = k + 0, passed = p + 0, restrained = t + 0,
    consumed = c + 0, dropped = x + 0, said = w + 0, deadline = d + 0, unread = u + 0 }
end

local function record_of(s)
  return string.format('%d %d %d %d %d %d %d %d %d %d %d', s.number, s.given, s.returned, s.admitted, s.passed, s.restrained,
    s.consumed, s.dropped, s.said, s.deadline, s.unread)
end

-- The weight of a member of listed.
local function weight_of(member)
  return tonumber(string.match(member, ':(%d+)$'))
end

-- The weight of all that is listed, counted anew.
local function count_listed()
  local sum = 0
  for _, member in ipairs(redis.call('ZRANGE', listed, 0, -1)) do
    sum = sum + weight_of(member)
  end
  return sum
end

-- Members of listed that belong to `session`, `most` of them at most.
local function listed_by(session, most)
  return redis.call('ZRANGEBYLEX', listed, '[' .. session .. ':', '(' .. session .. ';', 'LIMIT', 0, most)
end

-- Appends the names of the fields of `session` to `fields`.
local function add_fields(fields, session)
  for i = 1, #SESSION_FIELDS do
    fields[#fields + 1] = session .. SESSION_FIELDS[i]
  end
end

-- Uses commands for nothing before one of them matters: what the server does not permit is refused here, and not half-way. `state` is there.
local function try_writing(now)
  redis.call('HSET', state, 'clock', text(now))
  redis.call('HDEL', state, '')
  redis.call('ZREM', sessions, '')
end
local function try_reading()
  redis.call('HGET', state, '')
  redis.call('ZSCORE', sessions, '')
  redis.call('ZRANGE', sessions, 1, 0)
  redis.call('ZRANGEBYSCORE', sessions, '(0', '(0')
  redis.call('ZREVRANGEBYSCORE', sessions, '(0', '(0')
  redis.call('ZRANGEBYLEX', sessions, '(', '(')
  redis.call('ZADD', sessions, 'XX', 0, '')
end

-- Calls `command` on `key` with `members`, in pieces that fit.
local function each_piece(command, key, members)
  for from = 1, #members, 1000 do
    redis.call(command, key, unpack(members, from, math.min(from + 999, #members)))
  end
end
