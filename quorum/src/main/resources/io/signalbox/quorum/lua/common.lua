-- One master's part in a semaphore of several: which slots it says are taken, by whom and until when. All operations are one script, because
-- its first run in a process of the server is what tells that the server was started anew, and no other may vote before it.
--
-- KEYS 1 born     hash of the master: at (ms, its own clock), longest (ms), id
--      2 state    hash: d declared, n permits, v version of n, f fence
--      3 slots    hash: slot -> owner, end of the lease (ms), fence, since (ms), label; owner is bid/number
--      4 queue    zset: bid -> place
--      5 waiters  hash: bid -> number, lease (ms), end (ms), recipient, inbox, label
-- ARGV 1 operation  2 longest lease (ms)  3 retention (ms)  4 declared  5 permits  6 their version  7 floor of the fence
--      8 an id for the master, if it has none;  then those of the operation;  then "end", and "first" if the server did not know this script
--
-- Returns texts: code (Y done, N not, Q not because the master does not vote yet, L another longest lease), permits, their version, declared,
-- ms until it votes (0: it does), fence, 1 if this was the first run, longest lease, and then what the operation says.

local SEPARATOR = '\1'
local DEAD_AT_ONCE = 200
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local operations = {}

local function text(number)
  return string.format('%.0f', number)
end

local first = ARGV[#ARGV] == 'first'
local longest = tonumber(ARGV[2])
local retention = tonumber(ARGV[3])
local floor = tonumber(ARGV[7])

local born = redis.call('HMGET', KEYS[1], 'at', 'longest', 'id')
local at = tonumber(born[1] or nil)
if not at or first or at > now then
  at = now
  redis.call('HSET', KEYS[1], 'at', text(now))
end
local agreed = tonumber(born[2] or nil)
if not agreed then
  agreed = longest
  redis.call('HSET', KEYS[1], 'longest', text(longest))
end
local id = born[3]
if not id then
  id = ARGV[8]
  redis.call('HSET', KEYS[1], 'id', id)
end
local delay = math.max(0, at + agreed - now)

local state = redis.call('HMGET', KEYS[2], 'd', 'n', 'v', 'f')
local declared, permits, version, fence = tonumber(state[1] or nil), tonumber(state[2] or nil), tonumber(state[3] or nil), tonumber(state[4] or nil)
local before = fence
if not declared then
  declared, permits, version = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  fence = now
  redis.call('HSET', KEYS[2], 'd', text(declared), 'n', text(permits), 'v', text(version))
elseif tonumber(ARGV[6]) > version then
  permits, version = tonumber(ARGV[5]), tonumber(ARGV[6])
  redis.call('HSET', KEYS[2], 'n', text(permits), 'v', text(version))
end
if floor > fence then
  fence = floor
end

local function split(record, parts)
  local result, from = {}, 1
  for _ = 1, parts - 1 do
    local stop = string.find(record, SEPARATOR, from, true)
    result[#result + 1] = string.sub(record, from, stop - 1)
    from = stop + 1
  end
  result[#result + 1] = string.sub(record, from)
  return result
end

-- The record of a slot as owner, end, fence, since, label. A clock that went back makes no lease longer than the longest.
local function read(record)
  local parts = split(record, 5)
  parts[2] = math.min(tonumber(parts[2]), now + agreed)
  return parts
end

local function slotOf(slot)
  local record = redis.call('HGET', KEYS[3], slot)
  return record and read(record)
end

local function live(parts)
  return parts and parts[2] > now
end

local function write(slot, owner, lease, token, since, label)
  local record = table.concat({ owner, text(now + lease), text(token), text(since), label }, SEPARATOR)
  redis.call('HSET', KEYS[3], slot, record)
end

local function give(slot, owner, lease, label)
  fence = fence + 1
  write(slot, owner, lease, fence, now, label)
end

-- The bid and the number of an owner.
local function named(owner)
  local bid, number = string.match(owner, '^(.*)/(%d+)$')
  return bid, tonumber(number)
end

local function strike(bid)
  redis.call('ZREM', KEYS[4], bid)
  redis.call('HDEL', KEYS[5], bid)
end

-- Gives a free slot to the first waiter that is alive. Not before this master votes: it is a vote.
local function hand(slot)
  if delay > 0 or slot >= permits then
    return false
  end
  for _ = 1, DEAD_AT_ONCE do
    local bid = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
    if not bid then
      return false
    end
    local record = redis.call('HGET', KEYS[5], bid)
    strike(bid)
    local waiter = record and split(record, 6)
    if waiter and tonumber(waiter[3]) > now then
      give(slot, bid .. '/' .. waiter[1], tonumber(waiter[2]), waiter[6])
      local line = { waiter[4], bid, slot, waiter[1], text(fence), redis.call('HLEN', KEYS[3]) }
      redis.call('RPUSH', waiter[5], table.concat(line, ' '))
      redis.call('PEXPIRE', waiter[5], 60000)
      return true
    end
  end
  return false
end

-- All live slots by number.
local function taken()
  local result = {}
  local flat = redis.call('HGETALL', KEYS[3])
  for index = 1, #flat, 2 do
    local parts = read(flat[index + 1])
    if live(parts) then
      result[tonumber(flat[index])] = parts
    end
  end
  return result
end

local function answer(code, ...)
  if fence ~= before then
    redis.call('HSET', KEYS[2], 'f', text(fence))
  end
  redis.call('PEXPIRE', KEYS[2], retention)
  redis.call('PEXPIRE', KEYS[3], retention)
  return { code, text(permits), text(version), text(declared), text(delay), text(fence), first and '1' or '0', text(agreed), ... }
end
