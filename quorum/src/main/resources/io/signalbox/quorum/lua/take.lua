
-- Takes a slot, or none: waits and looks.
--
-- ARGV 9 bid  10 number  11 slot or -1  12 lease (ms)  13 1 to wait  14 place, or -1 for the end  15 inbox  16 label  17 recipient
--
-- Y: slot, number that it is held under, how many are taken. N and Q: ms until the first slot ends by itself (-1: none), how many wait, free slots (some).
function operations.take()
  local FREE_AT_MOST = 32
  local bid, number, slot, lease = ARGV[9], ARGV[10], tonumber(ARGV[11]), tonumber(ARGV[12])
  if agreed ~= longest then
    return answer('L')
  end
  if slot >= 0 and slot < permits and delay == 0 then
    local parts = slotOf(slot)
    if not live(parts) then
      -- The first request of a bid finds it nowhere.
      if number ~= '1' then
        strike(bid)
      end
      give(slot, bid .. '/' .. number, lease, ARGV[16])
      return answer('Y', text(slot), number, text(redis.call('HLEN', KEYS[3])))
    end
  end
  local all = taken()
  local ends = -1
  local own, ownNumber
  for other, parts in pairs(all) do
    local owner, under = named(parts[1])
    if owner == bid and (not own or other < own) then
      own, ownNumber = other, under
    end
    if ends < 0 or parts[2] - now < ends then
      ends = parts[2] - now
    end
  end
  if own then
    return answer('Y', text(own), text(ownNumber), text(redis.call('HLEN', KEYS[3])))
  end
  if ARGV[13] == '1' then
    local known = redis.call('HGET', KEYS[5], bid)
    if not known or tonumber(split(known, 6)[1]) < tonumber(number) then
      redis.call('HSET', KEYS[5], bid, table.concat({ number, text(lease), text(now + lease), ARGV[17], ARGV[15], ARGV[16] }, SEPARATOR))
      if tonumber(ARGV[14]) >= 0 then
        redis.call('ZADD', KEYS[4], ARGV[14], bid)
      else
        redis.call('ZADD', KEYS[4], 'NX', text(fence), bid)
      end
      redis.call('PEXPIRE', KEYS[4], retention)
      redis.call('PEXPIRE', KEYS[5], retention)
    end
  end
  local free = {}
  for step = 1, permits do
    local other = (math.max(slot, 0) + step) % permits
    if not all[other] then
      free[#free + 1] = text(other)
      if #free == FREE_AT_MOST then
        break
      end
    end
  end
  local unpacked = unpack or table.unpack
  return answer(delay > 0 and 'Q' or 'N', text(ends), text(redis.call('ZCARD', KEYS[4])), unpacked(free))
end
