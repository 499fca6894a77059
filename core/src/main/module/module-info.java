/** Semaphores, mutexes and events that processes share through a Redis or Valkey server. */
module io.signalbox.core {
    requires transitive kotlin.stdlib;
    requires transitive kotlinx.coroutines.core;
    requires transitive lettuce.core;
    requires io.netty.buffer;
    requires io.netty.common;
    requires kotlinx.serialization.json;
    requires org.slf4j;

    // With it, connections are given up soon after their peer has vanished. Named by --add-modules where it is wanted.
    requires static jdk.net;

    // What the driver needs: it has no descriptor that could say so.
    requires io.netty.handler;
    requires io.netty.resolver;
    requires io.netty.resolver.dns;
    requires io.netty.transport;
    requires java.logging;
    requires java.management;
    requires java.naming;
    requires jdk.unsupported;

    exports io.signalbox;
    exports io.signalbox.internal to
            io.signalbox.java,
            io.signalbox.ktor,
            io.signalbox.micrometer,
            io.signalbox.quorum,
            io.signalbox.timers;
    exports io.signalbox.internal.coordination to
            io.signalbox.quorum,
            io.signalbox.timers;
    exports io.signalbox.internal.ledger to
            io.signalbox.quorum,
            io.signalbox.timers;
    exports io.signalbox.internal.redis to
            io.signalbox.quorum,
            io.signalbox.timers;
}
