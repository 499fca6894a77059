/** The library for Java. */
module io.signalbox.java {
    requires transitive io.signalbox.core;
    requires transitive io.signalbox.timers;
    requires transitive lettuce.core;
    requires kotlinx.coroutines.jdk9;
    requires kotlinx.coroutines.reactive;
    requires org.reactivestreams;
    requires org.slf4j;
    requires static transitive org.jspecify;

    // For those who use the package that is named after it.
    requires static io.signalbox.quorum;

    // For the codecs that are named after them.
    requires static com.fasterxml.jackson.databind;
    requires static tools.jackson.databind;

    exports io.signalbox.java;
    exports io.signalbox.java.quorum;
    exports io.signalbox.java.timers;
    exports io.signalbox.java.internal to
            io.signalbox.micrometer;
}
