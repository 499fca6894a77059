-- How many shards the timers are spread over.
--
-- KEYS 1 meta          ARGV 1 wanted    2 previous, or empty
--
-- Stores the wanted number if none is stored, or the previous one. Returns the number that is stored then.

local stored = redis.call('HGET', KEYS[1], 'shards')
if not stored or stored == ARGV[2] then
  redis.call('HSET', KEYS[1], 'shards', ARGV[1])
  stored = ARGV[1]
end
return stored
