-- Section: expire. Ends sessions and max holds that are over; a goodbye ends its own. `wake` is a lower bound of the next such moment.
-- Changes plain, heavy, gone, turn, wake, more; adds to unlisted, ended, fields.

local finished = false

-- Takes away what `name` has listed, at most `most` permits, and then the session. Returns how many.
local function finish(name, most)
  local members, taken = listed_by(name, most + #unlisted), 0
  for i = 1, #members do
    if not unlisted[members[i]] and taken < most then
      heavy, taken = heavy - weight_of(members[i]), taken + 1
      unlisted[#unlisted + 1] = members[i]
      unlisted[members[i]] = true
    end
  end
  if taken < most then
    local record = name == session and me or parse(redis.call('HGET', state, name))
    if record then
      plain, gone = plain - (record.given - record.returned), gone + record.said - record.dropped
    end
    known[name], finished = false, finished or name == session
    if turn == name then
      turn = ''
    end
    ended[#ended + 1] = name
    add_fields(fields, name)
    --@audit('ended', name)
  end
  return taken
end

if goodbye then
  redis.call('ZADD', sessions, text(now), session)
end
if goodbye or wake <= now then
  local left, at_session = bound, 0
  while left > 0 do
    local dead = redis.call('ZRANGEBYSCORE', sessions, '-inf', text(now), 'LIMIT', at_session, 1)[1]
    if not dead then
      break
    end
    left = left - math.max(finish(dead, left), 1)
    at_session = at_session + 1
  end
  if left > 0 then
    local over = redis.call('ZRANGEBYSCORE', limits, '-inf', text(now), 'LIMIT', 0, left + #unlisted)
    for i = 1, #over do
      if not unlisted[over[i]] and left > 0 then
        heavy, left = heavy - weight_of(over[i]), left - 1
        unlisted[#unlisted + 1] = over[i]
        unlisted[over[i]] = true
        --@audit('overheld', over[i])
      end
    end
  end
  more = left <= 0
  if more then
    wake = now
  else
    local first = redis.call('ZRANGE', sessions, #ended, #ended, 'WITHSCORES')[2]
    local limit
    local soonest = redis.call('ZRANGE', limits, 0, #unlisted, 'WITHSCORES')
    for i = 1, #soonest, 2 do
      if not unlisted[soonest[i]] then
        limit = soonest[i + 1]
        break
      end
    end
    wake = math.min(tonumber(first or now + lease), tonumber(limit or now + lease))
  end
end
