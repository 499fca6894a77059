-- A page of the timeline or the shelf of a topic.
--
-- KEYS 1 due or shelf    2 payloads    3 marks
-- ARGV 1 first moment, ms    2 last moment    3 limit    4 id: begin behind this one at the first moment; or empty
--
-- Returns { id, moment, mark or '', record, ... } in ascending order of moment and id.

local unpack = unpack or table.unpack
local limit, after = tonumber(ARGV[3]), ARGV[4]
local start = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[1])
if after ~= '' then
  local moment = redis.call('ZSCORE', KEYS[1], after)
  if moment and tonumber(moment) == tonumber(ARGV[1]) then
    start = redis.call('ZRANK', KEYS[1], after) + 1
  else
    -- It has moved on: step over what was before it.
    local stepping = true
    while stepping do
      local passed = redis.call('ZRANGE', KEYS[1], start, start + 499, 'WITHSCORES')
      stepping = #passed == 1000
      for i = 1, #passed, 2 do
        if tonumber(passed[i + 1]) > tonumber(ARGV[1]) or passed[i] > after then
          stepping = false
          break
        end
        start = start + 1
      end
    end
  end
end
local found = redis.call('ZRANGE', KEYS[1], start, start + limit - 1, 'WITHSCORES')
local ids, reply = {}, {}
for i = 1, #found, 2 do
  if tonumber(found[i + 1]) > tonumber(ARGV[2]) then
    break
  end
  ids[#ids + 1] = found[i]
end
if #ids > 0 then
  local records = redis.call('HMGET', KEYS[2], unpack(ids))
  local marks = redis.call('HMGET', KEYS[3], unpack(ids))
  for i = 1, #ids do
    reply[#reply + 1] = ids[i]
    reply[#reply + 1] = found[2 * i]
    reply[#reply + 1] = marks[i] or ''
    reply[#reply + 1] = records[i] or ''
  end
end
return reply
