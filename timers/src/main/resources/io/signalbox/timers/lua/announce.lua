-- Pushes a line to one inbox, for servers that refuse keys that a script has not declared.
--
-- KEYS 1 inbox          ARGV 1 line
--
-- Returns the length of the inbox.

local length = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 60000)
return length
