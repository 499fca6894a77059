-- Pushes announcements to one inbox, for servers that refuse keys that a script has not declared.
--
-- KEYS
--   1 inbox
-- ARGV
--   1 ms to keep the inbox    2.. announcements
--
-- Returns the length of the inbox.

local length = redis.call('RPUSH', KEYS[1], (unpack or table.unpack)(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return length
