-- How many shards the timers are spread over.
--
-- KEYS 1 meta          ARGV 1 wanted    2 previous, or empty    3 format
--
-- Stores the wanted number if none is stored, or the previous one. Returns { the number that is stored then, the stored format }; with
-- another format nothing is written.

local unpack = unpack or table.unpack
local stored, format = unpack(redis.call('HMGET', KEYS[1], 'shards', 'format'))
if format and format ~= ARGV[3] then
  return { stored or '0', format }
end
if not stored or stored == ARGV[2] or not format then
  stored = (not stored or stored == ARGV[2]) and ARGV[1] or stored
  redis.call('HSET', KEYS[1], 'shards', stored, 'format', ARGV[3])
end
return { stored, ARGV[3] }
