-- Ends a semaphore for everybody, if it is still the one that is meant. What is left is its last fencing token, and a mark: whoever asks for
-- that state hears that it was deleted, by whom.
--
-- ARGV
--   1 epoch      2 label of who wants it, among numbers      3 announce: 1 pushes announcements here, 0 returns them for the caller to push
--
-- Returns { '1' or '0', inbox, announcement, ... }, whether it was there, and the pairs only with announce = 0; or { 'format', found }.

local stored = redis.call('HMGET', state, 'format', 'epoch', 'fence', 'retention')
if not stored[2] or stored[2] ~= ARGV[1] then
  return { '0' }
elseif stored[1] ~= FORMAT then
  return { 'format', stored[1] or 'none' }
end

local told, gone, all = {}, {}, redis.call('HGETALL', state)
for i = 1, #all, 2 do
  local name = string.match(all[i], '^(.*)|inbox$')
  -- Others would not understand it.
  if name and (tonumber(redis.call('HGET', state, name .. '|reads') or '0') or 0) > tonumber(FORMAT) then
    told[#told + 1] = { all[i + 1], string.format('%s %s deleted', name, stored[2]) }
  end
  if all[i] ~= 'fence' and all[i] ~= 'epoch' and all[i] ~= 'format' and all[i] ~= 'retention' and all[i] ~= 'deleted' then
    gone[#gone + 1] = all[i]
  end
end

-- What ends the semaphore is used for nothing first: a mark beside an epoch would end every session, and the semaphore would go on. The
-- first of them is one that a server out of memory accepts. Behind the epoch there is no semaphore, whatever is refused: no count is left
-- that would count against the next one, and what else is left expires.
redis.call('HDEL', state, '')
redis.call('HSET', state, 'retention', stored[4])
redis.call('PEXPIRE', state, stored[4])
redis.call('HSET', state, 'deleted', stored[2] .. ' ' .. ARGV[2])
redis.call('HDEL', state, 'epoch')
each_piece('HDEL', state, gone)
for i = 2, 6 do
  redis.call('PEXPIRE', KEYS[i], stored[4])
end
redis.call('DEL', listed, limits, signals, queue, sessions)

local reply = { '1' }
for i = 1, #told do
  if ARGV[3] == '1' then
    redis.call('RPUSH', told[i][1], told[i][2])
    redis.call('PEXPIRE', told[i][1], stored[4])
  else
    reply[#reply + 1] = told[i][1]
    reply[#reply + 1] = told[i][2]
  end
end
return reply
