/** Semaphores and mutexes on several independent masters. */
module io.signalbox.quorum {
    requires transitive io.signalbox.core;
    requires lettuce.core;
    requires org.slf4j;

    exports io.signalbox.quorum;
}
