package io.signalbox.examples.demo.semaphore

import java.util.PriorityQueue

/**
 * Puts the news of several processes in the order in which things happened.
 *
 * Every pipe is in order, but one may be read later than another; so news have to wait here for those that are still on
 * their way.
 */
internal class Timeline {
    private class Entry(val number: Long, val news: News)

    private val waiting = PriorityQueue(compareBy<Entry>({ it.news.event.at }, { it.number }))
    private var added = 0L

    fun add(news: News) {
        waiting += Entry(added++, news)
    }

    /** Takes all that happened before [moment]. */
    fun takeBefore(moment: Long): List<News> = buildList {
        while (true) {
            val head = waiting.peek()?.news?.takeIf { it.event.at < moment } ?: break
            waiting.poll()
            add(head)
        }
    }
}
