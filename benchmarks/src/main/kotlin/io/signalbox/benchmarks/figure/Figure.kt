package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench

/** One of the figures that the library promises. */
internal enum class Figure(
    val what: String,
    val measure: suspend (Bench) -> List<FigureLine>,
) {
    P1("uncontended acquire and release, 1000 coroutines", ::uncontended),
    P2("contended acquire and release, 1 to 1000 coroutines at 8 permits", ::contended),
    P3("acquire of a single coroutine", ::single),
    P4("hand-off between two clients", ::handOff),
    P5("100 000 waiting coroutines", ::waiting),
    P6("timers of one worker", ::timers),
    P7("idle workers", ::idleWorkers),
    P8("two processes of 500 coroutines at 8 permits", ::twoProcesses),
    P9("permits in use, the server a millisecond away", ::permitsInUse),
    J1("the futures of the Java API beside Kotlin, 1000 in flight", ::javaFutures),
    J2("the blocking Java API beside Kotlin, one thread", ::javaBlocking),
    C1("a cluster of three beside one server", ::cluster),
    C2("1000 semaphores spread over 1 and 3 masters", ::spread),
    Q1("a mutex on three independent masters beside Redisson's, one coroutine and 64", ::masters),
}
