/** Durable timers. */
module io.signalbox.timers {
    requires transitive io.signalbox.core;
    requires transitive kotlinx.serialization.core;
    requires transitive kotlinx.serialization.json;
    requires transitive HdrHistogram;
    requires lettuce.core;
    requires org.slf4j;

    exports io.signalbox.timers;
    exports io.signalbox.timers.internal to
            io.signalbox.java,
            io.signalbox.ktor;
}
