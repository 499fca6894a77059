-- Section: words. Takes the session at its word: what it gave back is free, and its turn ends with its last admitted waiter. Renews it.
-- Changes me, plain, heavy, permits, turn; provides `keeping`.

local used = 0
local function end_turn()
  local holder = turn ~= '' and session_of(turn)
  if turn ~= '' and (not holder or holder.passed >= holder.admitted) then
    turn = ''
  end
end

if not goodbye or (epoch ~= '' and not contradiction) then
  used = words.consumed - me.consumed
  plain, permits = plain - (words.returned - me.returned), math.max(0, permits - used)
  me.returned, me.consumed, me.dropped, me.said = words.returned, words.consumed, words.dropped, words.passed
  me.passed = math.max(me.passed, words.passed)
  if ARGV[11] ~= '' then
    me.roster = ARGV[11]
    me.roster_changed = true
  end
  if turn == session then
    end_turn()
  end
  --@audit('words', session, text(words.returned), text(words.passed), text(words.dropped), text(words.consumed))
end

-- What is released before its minimum hold is over is the session's no more, and free later.
local at = 28 + 4 * ARGV[23]
local released, keeping = {}, {}
for i = 1, tonumber(ARGV[24]) do
  local grant, moment = ':' .. ARGV[at] .. ':' .. ARGV[at + 1], tonumber(ARGV[at + 2])
  local member = session .. grant
  released[i] = not unlisted[member] and redis.call('ZSCORE', listed, member) and 1 or 0
  if released[i] == 1 then
    if moment > now then
      keeping[#keeping + 1] = { grant, moment }
      --@audit('kept', session, ARGV[at], ARGV[at + 1], text(moment))
    else
      heavy = heavy - ARGV[at + 1]
      --@audit('returned', session, ARGV[at], ARGV[at + 1])
    end
    unlisted[#unlisted + 1] = member
    unlisted[member] = true
  end
  at = at + 3
end

if goodbye then
  -- Over from now on, though it may take another goodbye to take all away that it holds.
  me.deadline, known[session] = now, false
else
  me.number = number
  -- In steps of 1/16 lease.
  if now + lease - me.deadline >= lease / 16 then
    me.deadline = now + lease
    if redis.call('ZADD', sessions, text(me.deadline), session) == 1 then
      -- The index of deadlines was evicted: make it again from the sessions' own records.
      local all = redis.call('HGETALL', state)
      for i = 1, #all, 2 do
        local other = string.match(all[i], '^(.*)|lease$')
        local record = other and other ~= session and parse(redis.call('HGET', state, other))
        if record then
          redis.call('ZADD', sessions, text(record.deadline), other)
        end
      end
    end
  end
  if inbox ~= stored[22] then
    write(session .. '|inbox', inbox)
  end
end
