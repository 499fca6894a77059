-- Creates a pool if it does not exist. The only script of the pool algorithm, and an optional one: see InitStrategy.
--
-- KEYS  state, turns, free; the last two lie under the id
-- ARGV  format, id, permits, 1 if bounded, quarantine in ms or 0, retention in ms, field of the fence
-- Returns 1 if it was created, 0 if there is a pool, of whatever format.
local state, turns, free = KEYS[1], KEYS[2], KEYS[3]
local format, id, permits, bounded = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local quarantine, retention, fence = tonumber(ARGV[5]), ARGV[6], ARGV[7]

if redis.call('HEXISTS', state, 'id') == 1 then return 0 end

-- Text: as a number it would be written with too few digits.
local time = redis.call('TIME')
local micros = time[1] .. string.format('%06d', tonumber(time[2]))
local millis = time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000))
local openAt = 0
if quarantine > 0 then openAt = string.format('%.0f', tonumber(millis) + quarantine) end

-- Accepted at the memory limit or not at all: the first write decides.
redis.call('HSET', state, 'format', format, 'permits', permits, 'declared', permits, 'bounded', bounded, 'openAt', openAt,
  'floor', micros, fence, micros)
local slots, hints = {}, {}
for slot = 0, permits - 1 do
  slots[#slots + 1] = micros
  slots[#slots + 1] = slot
  hints[#hints + 1] = slot .. ':' .. micros
  if #hints == 500 or slot == permits - 1 then
    redis.call('ZADD', turns, 'NX', unpack(slots))
    redis.call('RPUSH', free, unpack(hints))
    slots, hints = {}, {}
  end
end
redis.call('HSET', state, 'id', id)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, retention) end
return 1
