
-- Who holds and who waits. ARGV 9 how many waiters to list at most
--
-- Y: id of the master, how many slots are taken; of each slot, owner, ms left, fence, ms since, label; how many wait; of some of them bid, ms
-- left, label.
function operations.look()
  local result, count = {}, 0
  for slot, parts in pairs(taken()) do
    count = count + 1
    for _, part in ipairs({ text(slot), parts[1], text(parts[2] - now), parts[3], text(math.max(0, now - parts[4])), parts[5] }) do
      result[#result + 1] = part
    end
  end
  table.insert(result, 1, text(count))
  table.insert(result, 1, id)
  local place = #result + 1
  local waiting = 0
  result[place] = '0'
  for _, bid in ipairs(redis.call('ZRANGE', KEYS[4], 0, tonumber(ARGV[9]) - 1)) do
    local record = redis.call('HGET', KEYS[5], bid)
    local waiter = record and split(record, 6)
    if waiter and tonumber(waiter[3]) > now then
      waiting = waiting + 1
      for _, part in ipairs({ bid, text(tonumber(waiter[3]) - now), waiter[6] }) do
        result[#result + 1] = part
      end
    end
  end
  result[place] = text(waiting)
  local head = answer('Y')
  for _, part in ipairs(result) do
    head[#head + 1] = part
  end
  return head
end
