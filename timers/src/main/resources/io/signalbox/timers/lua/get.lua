-- One timer.
--
-- KEYS 1 due    2 payloads    3 marks    4 shelf          ARGV 1 id
--
-- Returns nothing if there is none, or { id, moment, mark or '', record }.

local record = redis.call('HGET', KEYS[2], ARGV[1])
local moment = redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZSCORE', KEYS[4], ARGV[1])
if not record or not moment then
  return {}
end
return { ARGV[1], moment, redis.call('HGET', KEYS[3], ARGV[1]) or '', record }
