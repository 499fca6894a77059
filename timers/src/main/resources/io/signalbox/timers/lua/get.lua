-- One timer.
--
-- KEYS 1 state    2 due    3 payloads    4 marks    5 shelf    6 paused          ARGV 1 id    2 format
--
-- Returns nothing if there is none, { 'format <number>' }, or { id, score, mark or '', record }.

local format = redis.call('HGET', KEYS[1], 'format')
if format and format ~= ARGV[2] then
  return { 'format ' .. format }
end
local id = ARGV[1]
local record = redis.call('HGET', KEYS[3], id)
local moment = redis.call('ZSCORE', KEYS[2], id) or redis.call('ZSCORE', KEYS[5], id) or redis.call('ZSCORE', KEYS[6], id)
if not record or not moment then
  return {}
end
return { id, moment, redis.call('HGET', KEYS[4], id) or '', record }
