-- Section: leaves. Places in the queue that are given up are cut out of the runs they are in; those that are not there any more were
-- admitted, granted or refused, or the queue was lost. Provides `given_up`, how many were still there; changes waiting, queues.

-- Whoever was in the queue learns from the number that it was lost, and queues again.
local function forget_queue()
  waiting, queues = 0, queues + 1
  write('queues', text(queues))
end
if waiting > 0 and redis.call('ZCARD', queue) == 0 then
  forget_queue()
end

-- A run of waiters, as a member of queue.
local function place(owner, sequence, count, behind)
  return string.format('%s/%d/%d/%s', owner, sequence, count, behind)
end

-- From here on the sets of the queue and of signals are changed at once.
local commands = at + 3 * ARGV[25]
if ARGV[25] ~= '0' or ARGV[26] ~= '0' or signalled then
  try_reading()
  try_writing(now)
  local signalling = signalled
  for i = commands, commands + 3 * ARGV[26] - 3, 3 do
    signalling = signalling or ARGV[i] == 'signal' or ARGV[i] == 'clear'
    if ARGV[i] == 'signal' and tonumber(ARGV[i + 2]) < 0 then
      -- Events have no limits.
      redis.call('PERSIST', limits)
    end
  end
  if signalling then
    redis.call('ZCOUNT', signals, '(0', '(0')
    redis.call('ZPOPMIN', signals, 0)
    redis.call('ZREMRANGEBYRANK', signals, 1, 0)
    if keep < 0 then
      -- Kept for ever until now: at the end that may be over, and a command be needed that was not used yet.
      redis.call('PEXPIRE', state, text(retention))
      redis.call('PERSIST', state)
    end
  end
end

local given_up = {}
for i = 1, tonumber(ARGV[25]) do
  local sequence, first, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  local last, cut = first + count - 1, 0
  local runs = waiting == 0 and {} or redis.call('ZREVRANGEBYSCORE', queue, text(first), '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local behind = waiting == 0 and {} or redis.call('ZRANGEBYSCORE', queue, '(' .. text(first), text(last), 'WITHSCORES')
  for j = 1, #behind do
    runs[#runs + 1] = behind[j]
  end
  for j = 1, #runs, 2 do
    local owner, begins, length, rest = string.match(runs[j], '^(.-)/(%d+)/(%d+)/(.*)$')
    local begin = tonumber(runs[j + 1])
    local from, to = math.max(first, begin, served), math.min(last, begin + length - 1)
    if owner == session and from <= to and begins - begin == sequence - first then
      -- First what is added: a set that becomes empty loses its expiry, and a place that is there twice does less harm than one lost.
      local keeps = math.max(begin, served)
      if from > keeps then
        redis.call('ZADD', queue, text(keeps), place(owner, begins + keeps - begin, from - keeps, rest))
      end
      if to < begin + length - 1 then
        redis.call('ZADD', queue, text(to + 1), place(owner, begins + to + 1 - begin, begin + length - 1 - to, rest))
      end
      redis.call('ZREM', queue, runs[j])
      cut = cut + to - from + 1
      --@audit('left', session, text(begins + from - begin), text(to - from + 1))
    end
  end
  waiting = waiting - cut
  given_up[i] = cut
end
