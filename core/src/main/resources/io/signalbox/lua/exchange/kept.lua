-- Section: kept. What was released before its minimum hold was over is kept from others until then: listed for an owner that is no session, with
-- a limit, which ends it as it ends a max hold. The keys live as long, though nobody may use them. Who waits is to ask when that is.
-- Changes wake, keep; adds to listing, limiting; provides `summoned`.

local summoned = {}
if #keeping > 0 then
  local owner = string.sub(session, 1, 8) .. ' ' .. (redis.call('HGET', state, session .. '|label') or '')
  for i = 1, #keeping do
    local member, moment = owner .. keeping[i][1], keeping[i][2]
    listing[#listing + 1] = 0
    listing[#listing + 1] = member
    limiting[#limiting + 1] = text(moment)
    limiting[#limiting + 1] = member
    wake, keep = math.min(wake, moment), keep < 0 and keep or math.max(keep, moment)
  end

  -- Once each. Those further behind in the queue hear of it with their next heartbeat.
  local asked = { [session] = true }
  local function summon(name)
    local other = not asked[name] and session_of(name)
    asked[name] = true
    if other then
      summoned[#summoned + 1] = other
    end
  end
  if turn ~= '' then
    summon(turn)
  end
  local runs = waiting > 0 and redis.call('ZRANGE', queue, 0, 99, 'WITHSCORES') or {}
  for i = 1, #runs, 2 do
    local name, count = string.match(runs[i], '^(.-)/%d+/(%d+)/')
    if runs[i + 1] + count > served then
      summon(name)
    end
  end
end
