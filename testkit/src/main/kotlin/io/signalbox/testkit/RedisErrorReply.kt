package io.signalbox.testkit

/** Redis answered a command of [RedisServer.command] with an error; [message] is what it said. */
public class RedisErrorReply internal constructor(message: String) : RuntimeException(message)
