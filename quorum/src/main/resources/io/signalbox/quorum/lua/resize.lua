
-- Tells waiters of new slots: the count itself was taken over from ARGV 5 and 6, as in every operation.
function operations.resize()
  if redis.call('ZCARD', KEYS[4]) > 0 then
    local all = taken()
    for slot = 0, permits - 1 do
      if not all[slot] and not hand(slot) then
        break
      end
    end
  end
  return answer('Y')
end
