-- Section: acquire. New acquires, if nobody is before them: plain ones that wait are admitted, also with nothing free; others are granted
-- what fits. What is left is queued or refused.
-- Changes ticket, waiting; provides `granted`, per run, and the first token, held count and ticket.

local granted, joining = {}, {}
local first_token, held_before, first_ticket = next_token, plain + heavy, ticket + 1
local sequence = tonumber(ARGV[22])
at = 28
for i = 1, tonumber(ARGV[23]) do
  local count, weight, hold, waits = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
  local counted, taken = weight == 1 and hold < 0, 0
  if weight > math.max(permits, 1) then
    taken = -1
  else
    if open and waiting == 0 and (turn == '' or (turn == session and counted and waits)) then
      taken = counted and waits and count or math.max(0, math.min(count, math.floor((permits - plain - heavy) / weight)))
    end
    if taken > 0 then
      local first
      if counted then
        first = admit(me, taken, now)
        --@audit('admitted', session, text(sequence), text(first), text(taken))
      else
        first = list(me, taken, weight, hold)
        --@audit('granted', session, text(sequence), text(first), text(taken), text(weight), text(hold))
      end
    end
    if waits and taken < count then
      joining[#joining + 1] = text(ticket + 1)
      joining[#joining + 1] = place(session, sequence + taken, count - taken, string.format('%d/%d/%d', weight, hold, now))
      --@audit('queued', session, text(sequence + taken), text(ticket + 1), text(count - taken), text(weight), text(hold))
      ticket, waiting = ticket + count - taken, waiting + count - taken
    end
  end
  granted[i] = taken
  sequence = sequence + count
  at = at + 4
end

-- After a resize down, the turn gives back before it hands on.
local holder = turn ~= '' and session_of(turn)
local excess = plain + heavy - permits
if holder and excess > 0 then
  local restrained = math.max(holder.restrained, holder.returned + math.min(holder.given - holder.returned, excess))
  if restrained ~= holder.restrained then
    holder.restrained, holder.changed = restrained, true
    concern(holder)
    --@audit('restrained', holder.name, text(restrained))
  end
end
