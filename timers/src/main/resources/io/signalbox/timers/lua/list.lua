-- A page of the timeline, the shelf or the paused timers of a topic.
--
-- KEYS 1 state    2 due, shelf or paused    3 payloads    4 marks
-- ARGV 1 first score    2 score to end before    3 limit    4 id: begin behind this one at the first score; or empty    5 format
--
-- Returns { 'format <number>' }, or { id, score, mark or '', record, ... } in ascending order of score and id.

local unpack = unpack or table.unpack
local format = redis.call('HGET', KEYS[1], 'format')
if format and format ~= ARGV[5] then
  return { 'format ' .. format }
end
local first, limit, after = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4]

-- Whether one id comes after another, by bytes as in a sorted set. Lua compares texts as the server's locale does.
local function is_behind(id, other)
  for i = 1, math.min(#id, #other) do
    local one, two = string.byte(id, i), string.byte(other, i)
    if one ~= two then
      return one > two
    end
  end
  return #id > #other
end

local start = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. ARGV[1])
if after ~= '' then
  local moment = redis.call('ZSCORE', KEYS[2], after)
  if moment and tonumber(moment) == first then
    start = redis.call('ZRANK', KEYS[2], after) + 1
  else
    -- It has moved on: step over what was before it.
    local stepping = true
    while stepping do
      local passed = redis.call('ZRANGE', KEYS[2], start, start + 499, 'WITHSCORES')
      stepping = #passed == 1000
      for i = 1, #passed, 2 do
        if tonumber(passed[i + 1]) > first or is_behind(passed[i], after) then
          stepping = false
          break
        end
        start = start + 1
      end
    end
  end
end
local found = redis.call('ZRANGE', KEYS[2], start, start + limit - 1, 'WITHSCORES')
local ids, reply = {}, {}
for i = 1, #found, 2 do
  if tonumber(found[i + 1]) >= tonumber(ARGV[2]) then
    break
  end
  ids[#ids + 1] = found[i]
end
if #ids > 0 then
  local records = redis.call('HMGET', KEYS[3], unpack(ids))
  local marks = redis.call('HMGET', KEYS[4], unpack(ids))
  for i = 1, #ids do
    reply[#reply + 1] = ids[i]
    reply[#reply + 1] = found[2 * i]
    reply[#reply + 1] = marks[i] or ''
    reply[#reply + 1] = records[i] or ''
  end
end
return reply
