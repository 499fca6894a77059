-- Section: commands. Kept signals that are over, resizes, signals, extensions. Provides `results`, a number per command; changes permits,
-- keep, ticket, wake.

-- `over` signals were kept too long; those that are on their way to somebody count as the oldest, after the `used` ones.
if signalled then
  if used > 0 then
    redis.call('ZPOPMIN', signals, used)
  end
  local over, in_delivery = redis.call('ZCOUNT', signals, '-inf', text(now)), plain + heavy
  if over > in_delivery then
    redis.call('ZREMRANGEBYRANK', signals, in_delivery, over - 1)
    permits = math.max(0, permits - (over - in_delivery))
  end
end

local results, orders = {}, {}

-- Who holds what is to be revoked, and whether it is listed. What is kept nobody holds.
local function holder_of(subject)
  local name, weight = string.match(subject, '^(.-):%d+:(%d+)$')
  local owner = session_of(name)
  if owner and weight == '0' then
    return owner.given > owner.returned and owner, false
  end
  return owner and not unlisted[subject] and redis.call('ZSCORE', listed, subject) and owner, true
end

local function take(member)
  heavy = heavy - weight_of(member)
  unlisted[#unlisted + 1] = member
  unlisted[member] = true
  --@audit('revoked', member)
end

for i = 1, tonumber(ARGV[26]) do
  local command, subject, value = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  if command == 'resize' then
    permits = tonumber(subject)
    results[i] = permits
  elseif command == 'declare' then
    permits = tonumber(subject)
    results[i] = permits
    write('declared', text(permits))
    write('redeclared', '1')
  elseif command == 'revoke' and string.find(subject, ' ', 1, true) then
    -- Kept, so there is nobody to be told.
    results[i] = not unlisted[subject] and redis.call('ZSCORE', listed, subject) and 1 or 0
    if results[i] == 1 then
      take(subject)
    end
  elseif command == 'revoke' then
    local owner = holder_of(subject)
    results[i] = owner and 1 or 0
    if owner and (owner == me or owner.obeys) then
      orders[#orders + 1] = { owner, string.format('x %s %s', string.match(subject, ':(%d+):'), ARGV[at + 2]) }
    end
  elseif command == 'enforce' then
    local owner, is_listed = holder_of(subject)
    if owner == me then
      owner = false
    end
    results[i] = owner and 1 or 0
    if owner and is_listed then
      take(subject)
    elseif owner then
      finish(owner.name, 1000000)
    end
  elseif command == 'add' then
    if redis.call('HGET', state, 'bounded') == '1' then
      results[i] = -1
    elseif permits + subject > 1000000000 then
      results[i] = -2
    else
      permits = permits + subject
      results[i] = permits
    end
  elseif command == 'signal' then
    if permits - plain - heavy >= tonumber(subject) then
      results[i] = -3
    else
      ticket, permits = ticket + 1, permits + 1
      redis.call('ZADD', signals, value < 0 and 'inf' or text(now + value), text(ticket))
      keep = (value < 0 or keep < 0) and -1 or math.max(keep, now + value)
      results[i] = 1
    end
  elseif command == 'clear' then
    local left = math.min(permits, plain + heavy)
    redis.call('ZREMRANGEBYRANK', signals, left, -1)
    results[i] = permits - left
    permits = left
  else
    local member = session .. ':' .. subject
    if not unlisted[member] and redis.call('ZSCORE', limits, member) then
      redis.call('ZADD', limits, text(now + value), member)
      wake = math.min(wake, now + value)
      results[i] = 1
      --@audit('extended', member, text(value))
    else
      results[i] = 0
    end
  end
  at = at + 3
end
if permits ~= tonumber(stored[6]) then
  write('permits', text(permits))
end
--@audit('resized', permits)

-- What others did for this session's waiters since its last exchange.
local news, news_count = {}, 0
if me.unread == 1 and not goodbye then
  local unread = redis.call('HGET', state, session .. '|unread') or ''
  for kind in string.gmatch(unread, '[agrx]') do
    news_count = news_count + 1
  end
  news[1] = unread ~= '' and unread or nil
  me.unread = 0
  fields[#fields + 1] = session .. '|unread'
end
