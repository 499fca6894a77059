package io.signalbox.internal.coordination

/** The permits of a session, in an intrusive list: adding and removing one is O(1) without hashing. Guarded by the coordinator's lock. */
internal class HeldList {
    private var first: HeldPermit? = null

    val isEmpty: Boolean get() = first == null

    fun add(permit: HeldPermit) {
        permit.previous = null
        permit.next = first
        first?.previous = permit
        first = permit
    }

    fun remove(permit: HeldPermit) {
        val previous = permit.previous
        val next = permit.next
        when {
            previous != null -> previous.next = next
            first === permit -> first = next
            else -> return
        }
        next?.previous = previous
        permit.previous = null
        permit.next = null
    }

    fun toList(): List<HeldPermit> = generateSequence(first) { it.next }.toList()

    /** Those added last, [most] of them at most. */
    fun first(most: Int): List<HeldPermit> = generateSequence(first) { it.next }.take(most).toList()
}
