/** Metrics and traces by Micrometer. */
module io.signalbox.micrometer {
    requires transitive io.signalbox.core;
    requires transitive micrometer.core;
    requires transitive micrometer.observation;
    requires micrometer.commons;
    requires org.slf4j;
    requires static transitive org.jspecify;

    // Of these, what the application uses.
    requires static transitive io.signalbox.java;
    requires static transitive io.signalbox.timers;

    exports io.signalbox.micrometer;
    exports io.signalbox.micrometer.java;
}
