-- Has semaphores that nobody uses, but somebody has a handle of, live for another retention; those that do not exist are left alone.
--
-- KEYS
--   1 names      zset   score expiry ms; `<kind>:<name>`: what statistics() looks at; any other if ARGV[2] is ''
--   2.. the six keys of each semaphore, as in common.lua
-- ARGV
--   1 retention ms     2 until when to list the names, ms, or ''    3 names that were to be listed until before that are removed
--   4.. for each semaphore, `<kind>:<name>`
--
-- Returns 1 if there are more names to be removed, else 0.

local FORMAT, BOUND = '2', 1000
local unpack = unpack or table.unpack
local retention = tonumber(ARGV[1])
local time = redis.call('TIME')
local millis = math.floor((time[1] * 1000000 + time[2]) / 1000)

local found = {}
for i = 2, #KEYS, 6 do
  local stored = redis.call('HMGET', KEYS[i], 'format', 'retention', 'keep', 'offset')
  if stored[1] == FORMAT then
    local keep = tonumber(stored[3]) or 0
    -- Signals that are kept for ever keep their event.
    if keep >= 0 then
      local life = math.max(retention, tonumber(stored[2]) or 0, keep - millis - (tonumber(stored[4]) or 0))
      for j = i, i + 5 do
        redis.call('PEXPIRE', KEYS[j], string.format('%d', life))
      end
    end
    found[#found + 1] = ARGV[2]
    found[#found + 1] = ARGV[3 + (i + 4) / 6]
  end
end
if ARGV[2] == '' then
  return 0
end
if #found > 0 then
  redis.call('ZADD', KEYS[1], unpack(found))
  local left = redis.pcall('PTTL', KEYS[1])
  if type(left) == 'number' and left < retention then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
  end
end

local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[3], 'LIMIT', 0, BOUND)
if #old > 0 then
  redis.call('ZREM', KEYS[1], unpack(old))
end
return #old < BOUND and 0 or 1
