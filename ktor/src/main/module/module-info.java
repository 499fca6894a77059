/** Semaphores, mutexes, events and timers in a Ktor server. */
module io.signalbox.ktor {
    requires transitive io.signalbox.core;
    requires transitive io.signalbox.timers;
    requires transitive io.ktor.server.core;
    requires io.ktor.events;
    requires io.ktor.http;
    requires io.ktor.utils;
    requires org.slf4j;

    // Of these, what the application uses.
    requires static io.ktor.server.di;
    requires static io.ktor.server.status.pages;

    exports io.signalbox.ktor;
}
