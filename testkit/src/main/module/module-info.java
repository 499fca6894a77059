/** Real servers, a faulty network and further JVMs for tests. */
module io.signalbox.testkit {
    requires transitive kotlin.stdlib;
    requires org.slf4j;

    // Nothing but the server that it contains.
    requires embedded.redis;

    // Used when there.
    requires static ch.qos.logback.classic;
    requires static testcontainers;

    exports io.signalbox.testkit;
}
