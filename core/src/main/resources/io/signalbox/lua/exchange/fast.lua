-- Everything a session has to say about its semaphore, in one atomic step, at most once per number.
--
-- ARGV
--   1 session           2 the record that the session expects to have, or '' if it cannot know
--   3 the record that follows if all acquires fit           4 `<epoch> <permits>` of a calm semaphore
--   5 by how many the permits held by count change          6 permits          7 not to be renewed before this moment, ms
--   8 how many acquires                                     9 field of the stored answer: `<session>|0` or `|1`
--  10 ms to keep the keys          11 roster: what a snapshot shows of the session, or '' for no change
--  12 number            13 epoch          14 inbox          15 bound of the work per kind
--  16 announce: 1 pushes announcements here, 0 returns them for the caller to push
--  17 goodbye: 1 ends the session, whatever the number; with an epoch of '' it has no words
--  18 returned          19 passed         20 dropped        21 consumed      22 sequence number of the first acquire
--  23 how many runs of acquires: quadruples count, weight, hold ms or -1, waits (1 queues the rest, 0 refuses it)
--  24 how many releases of listed permits: triples token, weight, moment until which it is kept from others, ms, or 0
--  25 how many runs of places in the queue given up: triples sequence, ticket, count
--  26 how many commands: triples; 'resize' n 0 | 'add' n 0 | 'extend' '<token>:<weight>' ms
--     'declare' n 0 | 'revoke' '<session>:<token>:<weight, or 0 if held by count>' <label among numbers> | 'enforce' the same 0
--     of events: 'signal' <most that are kept> <ms to keep it, or -1> | 'clear' 0 0
--  27 `<moment> ` of the answer to number - 2, which this one makes room for, or '' if there was none
--  28.. the entries, in this order
--
-- Returns { answer, inbox, announcement, inbox, announcement, ... }, the pairs only with announce = 0. The answer is one of
--   'lost lapsed' | 'lost data'    no such session, or another state        'gap <last>'     an earlier number is missing
--   'lost deleted <label>'         somebody has ended the semaphore; the label among numbers: how many, and each
--   'stale'       the answer is no longer kept                              'contradiction'  the words cannot be true
--   'format <f>'  the state has a format that this script does not know
--   '= <now> <held> <first token> <acquires>'    as expected: the record is ARGV[3], and the semaphore is calm
--   numbers, separated by blanks: now, permits, held, held after what the turn was given, queued, next (-1: nobody waits), more, open (0 in quarantine), how often
--   the queue was lost, calm, the eleven numbers of the record, token of the first acquire admitted or granted here, held before it,
--   ticket of the first acquire queued here; then five lists, each behind its length: admitted or granted per run (-1: can never
--   fit); news of this session's queued waiters; 1 or 0 per release; how many places given up were still in the queue, per run; a
--   number per command. News are 'a sequence token count given held', admitted; 'g sequence token count held at', granted listed permits;
--   'r sequence count', refused; 'x token label', to be given up.
--
-- An announcement is `<session> <epoch> given admitted restrained held queued` and the news not read yet; held is what it was right after
-- the session's turn was given something.

-- Section: fast. Nobody else is concerned, nothing is due, and the session finds what it expects: then all is worked out already.
-- Decides nothing that the sections behind it would decide differently.
if ARGV[2] ~= '' then
  local found = redis.call('HMGET', KEYS[1], ARGV[1], 'calm', 'plain', 'fence', 'clock', 'due', ARGV[9])
  if found[1] == ARGV[2] and found[2] == ARGV[4] and (string.find(found[7] or '', ARGV[27], 1, true) or 4) < 4 then
    local read = redis.call('TIME')
    local now = read[1] * 1000 + math.floor(read[2] / 1000)
    local plain, fence = found[3] + ARGV[5], found[4] + 1
    if plain <= ARGV[6] + 0 and now >= found[5] + 0 and now < found[6] + 0 and now < ARGV[7] + 0 then
      local at = read[1] * 1000000 + read[2]
      if at > fence then
        fence = at
      end
      -- Once: a number that is handed over is written with 17 digits, which costs as much as a command.
      local now_text, plain_text = string.format('%d', now), string.format('%d', plain)
      local answer = '= ' .. now_text .. ' ' .. plain_text .. ' ' .. string.format('%d', fence) .. ' ' .. ARGV[8]
      -- The first write must be one that a server out of memory still accepts: then it accepts the rest.
      redis.call('PEXPIRE', KEYS[1], ARGV[10])
      if ARGV[8] == '0' then
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[9], answer, 'plain', plain_text, 'clock', now_text)
      else
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[9], answer, 'plain', plain_text, 'clock', now_text,
          'fence', string.format('%d', fence + ARGV[8] - 1))
      end
      if ARGV[11] ~= '' then
        redis.call('HSET', KEYS[1], ARGV[1] .. '|roster', ARGV[11])
      end
      --@audit('fast', ARGV[1], ARGV[8], string.format('%d', fence), ARGV[18], ARGV[19], ARGV[20], ARGV[21])
      return { answer }
    end
  end
end
