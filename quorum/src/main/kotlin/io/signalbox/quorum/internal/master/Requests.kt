package io.signalbox.quorum.internal.master

/** What a client knows of a semaphore, told with every request: a master that has missed or lost it takes it over. */
internal class Known(
    val declared: Int,
    val permits: Int,
    /** Of [permits]; the larger one counts. */
    val version: Long,
    /** The largest fence that the client has seen. */
    val floor: Long,
)

/** What masters are asked; the resources in `lua/` say what each does. */
internal sealed interface Request {
    /** Takes [slot], or none: waits and looks. [number] makes it unlike every other request of its bid. */
    class Take(
        val bid: String,
        val number: Long,
        val slot: Int,
        val waits: Boolean,
        /** -1 for the end of the queue. */
        val place: Long,
        /** Who hears of it if the slot is handed over; one word. */
        val recipient: String,
    ) : Request

    class Release(
        val slot: Int,
        val owner: String,
        /** Whether it goes to who waits; else it is free for whoever asks. */
        val handsOn: Boolean,
    ) : Request

    /** Forgets [bid], and hands on what it took under [number] or a lower one. */
    class Leave(
        val bid: String,
        val number: Long,
    ) : Request

    class Renew(
        val slots: List<Held>,
    ) : Request

    class Held(
        val slot: Int,
        val owner: String,
        val fence: Long,
    )

    /** Hands new slots to who waits; the count is in [Known]. */
    object Resize : Request

    class Look(
        val waiters: Int,
    ) : Request

    companion object {
        const val NONE = -1

        fun owner(
            bid: String,
            number: Long,
        ): String = "$bid/$number"
    }
}

/** What a master says. */
internal class Answer(
    val code: Code,
    val permits: Int,
    val version: Long,
    val declared: Int,
    /** How long until it votes; 0 if it does. */
    val quarantineMillis: Long,
    val fence: Long,
    /** The longest lease that this master was told of first. */
    val longestMillis: Long,
    val body: Body,
) {
    enum class Code(
        val letter: String,
    ) {
        YES("Y"),
        NO("N"),

        /** No, because it does not vote yet. */
        QUARANTINE("Q"),

        /** No, because the client has another longest lease. */
        LONGEST("L"),
    }

    /** What the request was for. */
    sealed interface Body

    object Nothing : Body

    /** [slot] is the bid's, under [number]. */
    class Taken(
        val slot: Int,
        val number: Long,
        /** How many slots are taken, these included. */
        val held: Int,
    ) : Body

    class Refused(
        /** When the first slot ends by itself; -1 if there is none. */
        val endsInMillis: Long,
        val free: List<Int>,
    ) : Body

    class Released(
        val isHandedOn: Boolean,
    ) : Body

    class Renewed(
        val isHeld: List<Boolean>,
    ) : Body

    class Seen(
        val id: String,
        val slots: List<Slot>,
        val waiters: List<Waiter>,
    ) : Body

    class Slot(
        val slot: Int,
        val owner: String,
        val leftMillis: Long,
        val fence: Long,
        val sinceMillis: Long,
        val label: String,
    ) {
        val bid: String get() = owner.substringBeforeLast('/')
    }

    class Waiter(
        val bid: String,
        val leftMillis: Long,
        val label: String,
    )
}
