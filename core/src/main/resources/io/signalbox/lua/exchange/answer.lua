-- Section: answer. Writes everything: first what is added, then the state, all at once, then what is removed. Whatever is refused half-way
-- leaves the old state or the new one, and at most members that are behind `served` or belong to nobody.

if #listing + #joining + #fields + #unlisted + #ended + #passed > 0 then
  try_writing(now)
end
-- What a script that was refused half-way has left behind the end of the queue. Looked for before anything is added: to look may be refused.
local stray = #joining > 0 and redis.call('ZRANGEBYSCORE', queue, text(first_ticket), '+inf', 'LIMIT', 0, 100) or {}
if #listing > 0 then
  touch(listed, retention, keep, now)
  each_piece('ZADD', listed, listing)
  each_piece('ZADD', limits, limiting)
  touch(listed, retention, keep, now)
  if #limiting > 0 then
    touch(limits, retention, keep, now)
  end
end
if #stray > 0 then
  redis.call('ZREM', queue, unpack(stray))
end
if #joining > 0 then
  each_piece('ZADD', queue, joining)
  touch(queue, retention, keep, now)
end
if keep ~= 0 and permits == 0 and heavy == 0 then
  keep = 0
end
if keep ~= (tonumber(stored[19]) or 0) then
  write('keep', text(keep))
  for i = 1, 6 do
    touch(KEYS[i], retention, keep, now)
  end
end
if next_token > before then
  write('fence', text(next_token - 1))
end

local calm = turn == '' and waiting == 0 and heavy == 0 and open and keep == 0 and offset == 0
local calm_text = calm and stored[2] .. ' ' .. text(permits) or ''
if calm_text ~= stored[23] then
  write('calm', calm_text)
end
write('plain', text(plain))
write('listed', text(heavy))
write('gone', text(gone))
write('turn', turn)
write('ticket', text(ticket))
write('served', text(served))
write('queued', text(waiting))
write('wake', text(wake))
write('due', text(math.min(wake, refresh)))

local soonest = -1
if waiting > 0 or turn ~= '' then
  soonest = open and wake or math.min(wake, tonumber(stored[18]))
end
local answer = string.format('%d %d %d %d %d %d %d %d %d %d %s %d %d %d', now, permits, plain + heavy, me.held or plain + heavy, waiting, soonest, more and 1 or 0,
  open and 1 or 0, queues, calm and 1 or 0, record_of(me), first_token, held_before, first_ticket)
local function add_list(list, count)
  answer = count > 0 and answer .. ' ' .. count .. ' ' .. table.concat(list, ' ') or answer .. ' 0'
end
add_list(granted, #granted)
add_list(news, news_count)
add_list(released, #released)
add_list(given_up, #given_up)
add_list(results, #results)
if not finished then
  write(session, record_of(me))
end
if not goodbye then
  write(session .. '|' .. number % 2, answer)
  if me.roster_changed then
    write(session .. '|roster', me.roster)
  end
end
for i = 1, #concerned do
  local other = concerned[i]
  if other.changed then
    write(other.name, record_of(other))
    if other.news_changed then
      write(other.name .. '|unread', other.news)
    end
    if other.roster_changed then
      write(other.name .. '|roster', other.roster)
    end
  end
end
each_piece('HSET', state, written)

if #fields > 0 then
  each_piece('HDEL', state, fields)
end
if #unlisted > 0 then
  each_piece('ZREM', listed, unlisted)
  each_piece('ZREM', limits, unlisted)
end
if #ended > 0 then
  each_piece('ZREM', sessions, ended)
end
if #passed > 0 then
  each_piece('ZREM', queue, passed)
end

-- Announcements, last: whoever is woken finds everything done.
local reply = { answer }
local function announce_to(other, line)
  if announce then
    redis.call('RPUSH', other.inbox, line)
    redis.call('PEXPIRE', other.inbox, text(retention))
  else
    reply[#reply + 1] = other.inbox
    reply[#reply + 1] = line
  end
end
for i = 1, #concerned do
  local other = concerned[i]
  local line = string.format('%s %s %d %d %d %d %d', other.name, stored[2], other.given, other.admitted, other.restrained,
    other.held or plain + heavy, waiting)
  if other.news ~= '' then
    line = line .. ' ' .. other.news
  end
  announce_to(other, line)
end
for i = 1, #summoned do
  announce_to(summoned[i], summoned[i].name .. ' ' .. stored[2] .. ' ask')
end
return reply
