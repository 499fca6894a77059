-- Section: give. Gives what is free: to the turn first, then to the head of the queue, and so on. The head is admitted before anything is
-- free, as a whole, so that its own process can hand on to all of it. Heads whose session is over are dropped, heads that can
-- never fit are refused.
-- Changes plain, heavy, turn, served, waiting, wake, more, gone; provides `next_token`, and `admit` and `list` for the acquires.

local next_token = math.max(fence + 1, micros)
local before = next_token
local listing, limiting = {}, {}

-- Gives `owner` some permits more, by count.
local function widen(owner, count)
  if count > 0 then
    owner.given, owner.passed, plain = owner.given + count, owner.passed + count, plain + count
    owner.changed = true
    concern(owner)
    --@audit('given', owner.name, text(count))
  end
  if owner.passed >= owner.admitted and turn == owner.name then
    turn = ''
  end
end

-- Admits `count` plain waiters, who have waited since `since`, and gives them what is free. Returns the first token.
local function admit(owner, count, since)
  local first = next_token
  next_token = first + count
  owner.admitted, owner.changed = owner.admitted + count, true
  concern(owner)
  local given = math.max(0, math.min(permits - plain - heavy, count))
  if (given < count and turn ~= owner.name) or given > 0 then
    if not owner.roster then
      owner.roster = owner == me and redis.call('HGET', state, session .. '|roster') or '0'
    end
    owner.roster_changed = true
  end
  if given < count and turn ~= owner.name then
    turn = owner.name
    owner.roster = string.gsub(owner.roster, '^%d+', text(since))
  end
  if given > 0 then
    if #owner.roster < 4000 then
      owner.roster = string.format('%s %d+%d@%d', owner.roster, first, given, now)
    end
    widen(owner, given)
  end
  return first
end

-- Grants `count` permits of `weight`, listed one by one. Returns the first token.
local function list(owner, count, weight, hold)
  local first = next_token
  for token = first, first + count - 1 do
    local member = string.format('%s:%d:%d', owner.name, token, weight)
    listing[#listing + 1] = 0
    listing[#listing + 1] = member
    if hold >= 0 then
      limiting[#limiting + 1] = text(now + hold)
      limiting[#limiting + 1] = member
      wake = math.min(wake, now + hold)
    end
  end
  next_token, heavy, gone = first + count, heavy + count * weight, gone + count
  return first
end

-- Tells `owner` what became of its waiters.
local function tell(owner, fact)
  if owner == me then
    news[#news + 1] = fact
    news_count = news_count + 1
  else
    owner.news = owner.news == '' and fact or owner.news .. ' ' .. fact
    owner.unread, owner.changed, owner.news_changed = 1, true, true
    concern(owner)
  end
end

for i = 1, #orders do
  if known[orders[i][1].name] then
    tell(orders[i][1], orders[i][2])
  end
end

local left, look, seen = bound, 2, 0
-- Runs of which nobody is left; the one at the head may stay, and `served` says where it begins.
local heads, at_head, passed = {}, 1, {}
while open and left > 0 do
  local holder = turn ~= '' and session_of(turn)
  if holder then
    local given = math.min(permits - plain - heavy, holder.admitted - holder.passed)
    widen(holder, given)
    if given > 0 then
      holder.held = plain + heavy
    end
  else
    turn = ''
  end
  if waiting <= 0 then
    break
  else
    if at_head > #heads then
      heads, at_head = redis.call('ZRANGE', queue, seen, seen + look - 1, 'WITHSCORES'), 1
      seen, look = seen + look, math.min(4 * look, 128)
      if #heads == 0 then
        -- Places were taken away by somebody else.
        forget_queue()
        break
      end
    end
    local begin = tonumber(heads[at_head + 1])
    local name, sequence, count, weight, hold, since =
      string.match(heads[at_head], '^(.-)/(%d+)/(%d+)/(%d+)/(-?%d+)/(%d+)$')
    count, weight, hold = tonumber(count), tonumber(weight), tonumber(hold)
    local from = math.max(begin, served)
    count, sequence = begin + count - from, sequence + from - begin
    if turn ~= '' and count > 0 and not (name == turn and weight == 1 and hold < 0) then
      break
    end
    if count > 0 then
      -- A turn's own run joins those before it, and passes by nobody.
      local owner, taken = session_of(name), count
      if not owner then
        left = left - 1
        --@audit('left', name, text(sequence), text(taken))
      elseif weight > math.max(permits, 1) then
        left = left - 1
        tell(owner, string.format('r %d %d', sequence, taken))
        --@audit('left', name, text(sequence), text(taken))
      elseif weight == 1 and hold < 0 then
        left = left - 1
        local held = plain + heavy
        local first = admit(owner, taken, since)
        tell(owner, string.format('a %d %d %d %d %d', sequence, first, taken, plain + heavy - held, plain + heavy))
        --@audit('admitted', name, text(sequence), text(first), text(taken))
      else
        taken = math.min(taken, left, math.floor((permits - plain - heavy) / weight))
        if taken <= 0 then
          break
        end
        left = left - taken
        local first = list(owner, taken, weight, hold)
        tell(owner, string.format('g %d %d %d %d %d', sequence, first, taken, plain + heavy, now))
        --@audit('granted', name, text(sequence), text(first), text(taken), text(weight), text(hold))
      end
      served, waiting = from + taken, waiting - taken
      count = count - taken
    end
    if count <= 0 then
      passed[#passed + 1] = heads[at_head]
      at_head = at_head + 2
    end
  end
end
if left <= 0 then
  more = true
end
