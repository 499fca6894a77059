
-- Frees a slot. ARGV 9 slot  10 owner  11 1 to hand it on to who waits
--
-- Y: 1 if it was handed on. N: it is not the owner's.
function operations.release()
  local slot = tonumber(ARGV[9])
  local parts = slotOf(slot)
  if not parts or parts[1] ~= ARGV[10] then
    return answer('N')
  end
  redis.call('HDEL', KEYS[3], slot)
  return answer('Y', ARGV[11] == '1' and hand(slot) and '1' or '0')
end

-- Forgets a bid. ARGV 9 bid  10 number: slots taken under it or a lower one are handed on
function operations.leave()
  local bid, most = ARGV[9], tonumber(ARGV[10])
  local known = redis.call('HGET', KEYS[5], bid)
  if known and tonumber(split(known, 6)[1]) <= most then
    strike(bid)
  end
  local slots = {}
  local all = taken()
  for slot in pairs(all) do
    slots[#slots + 1] = slot
  end
  table.sort(slots)
  for _, slot in ipairs(slots) do
    local parts = all[slot]
    local owner, number = named(parts[1])
    if owner == bid and number <= most then
      redis.call('HDEL', KEYS[3], slot)
      hand(slot)
    end
  end
  return answer('Y')
end
