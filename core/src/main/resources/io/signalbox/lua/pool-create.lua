-- Creates a pool if it does not exist. The only script of the pool algorithm, and an optional one: see InitStrategy.
--
-- KEYS  state, turns, free, fence; all but the first lie under the id
-- ARGV  format, id, permits, 1 if bounded, quarantine and longest lease in ms or 0, retention in ms, member of fence
-- Returns 1 if it was created, 0 if there is a pool, of whatever format.
local state, turns, free, fence = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local format, id, permits, bounded = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local quarantine, retention = tonumber(ARGV[5]), ARGV[6]

if redis.call('HGET', state, 'id') then return 0 end

-- Text: as a number it would be written with too few digits.
local time = redis.call('TIME')
local micros = time[1] .. string.format('%06d', tonumber(time[2]))
local millis = time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000))
local openAt = 0
if quarantine > 0 then openAt = string.format('%.0f', tonumber(millis) + quarantine) end

-- Accepted at the memory limit or not at all: the first write decides. Both do nothing, so what is not permitted leaves nothing either.
redis.call('ZADD', fence, 'XX', micros, '')
redis.call('PEXPIRE', state, retention)
-- First what lies under the id, which expires if it comes to no more; then the pool at once, so that nobody else's is mixed with it.
local slots, hints = {}, {}
for slot = 0, permits - 1 do
  slots[#slots + 1] = micros
  slots[#slots + 1] = slot
  hints[#hints + 1] = slot .. ':' .. micros
  if #hints == 500 or slot == permits - 1 then
    redis.call('RPUSH', free, unpack(hints))
    redis.call('PEXPIRE', free, retention)
    redis.call('ZADD', turns, 'NX', unpack(slots))
    redis.call('PEXPIRE', turns, retention)
    slots, hints = {}, {}
  end
end
redis.call('ZADD', fence, 'GT', micros, ARGV[7])
redis.call('PEXPIRE', fence, retention)
redis.call('HSET', state, 'format', format, 'permits', permits, 'declared', permits, 'bounded', bounded, 'openAt', openAt,
  'longest', ARGV[5], 'floor', micros, 'id', id)
redis.call('PEXPIRE', state, retention)
return 1
