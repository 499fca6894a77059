
-- Renews what is held, and puts back what this master does not know of, if the slot is free here. Writes tokens back.
--
-- ARGV 9 lease (ms)  10 label  11 how many;  then for each: slot, owner, fence
--
-- Y: for each 1 if it is held here now.
function operations.renew()
  local lease, label, result = tonumber(ARGV[9]), ARGV[10], {}
  for index = 12, 11 + 3 * tonumber(ARGV[11]), 3 do
    local slot, owner, token = tonumber(ARGV[index]), ARGV[index + 1], tonumber(ARGV[index + 2])
    local parts = slotOf(slot)
    local isHeld = not live(parts) or parts[1] == owner
    if isHeld then
      write(slot, owner, lease, token, parts and parts[1] == owner and tonumber(parts[4]) or now, label)
      fence = math.max(fence, token)
    end
    result[#result + 1] = isHeld and '1' or '0'
  end
  local unpacked = unpack or table.unpack
  return answer('Y', unpacked(result))
end
