-- Writes to a register that refuses a fencing token smaller than the largest it has seen.
--
-- KEYS[1]  hash of the last accepted write: token, writer
-- KEYS[2]  list of all accepted tokens, the latest last
-- ARGV[1]  the fencing token of the writer's permit
-- ARGV[2]  who writes
-- ARGV[3]  how long the keys are kept after the last write, in milliseconds
--
-- Returns {"accepted", token} or {"refused", the largest token seen}.

local register, history = KEYS[1], KEYS[2]
local token, writer, retention = ARGV[1], ARGV[2], ARGV[3]

local largest = redis.call('HGET', register, 'token')
if largest and tonumber(token) < tonumber(largest) then
  return { 'refused', largest }
end

-- The same holder may write again; its token is one entry all the same.
if token ~= largest then
  redis.call('RPUSH', history, token)
end
redis.call('HSET', register, 'token', token, 'writer', writer)
redis.call('PEXPIRE', register, retention)
redis.call('PEXPIRE', history, retention)
return { 'accepted', token }
