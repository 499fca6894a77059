-- What the workers handle that are alive.
--
-- KEYS 1 state    2 seen
--
-- Returns a list of newline-separated topics per worker.

local time = redis.call('TIME')
local alive = redis.call('ZRANGEBYSCORE', KEYS[2], time[1] .. '000', '+inf')
local reply = {}
for i = 1, #alive do
  local topics = redis.call('HGET', KEYS[1], alive[i] .. '|topics')
  if topics then
    reply[#reply + 1] = topics
  end
end
return reply
