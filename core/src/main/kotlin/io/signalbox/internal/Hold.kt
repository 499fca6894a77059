package io.signalbox.internal

/** For how long what is granted may be held, and for how long others are kept from it at the least. */
internal class Hold(
    /** Max hold, -1 for none. */
    val maxMillis: Long,
    /** Minimum hold, 0 for none; at most [maxMillis], which is not -1 then. */
    val minMillis: Long = 0,
) {
    companion object {
        /** The max hold of the handle, and no minimum: it is this object that says so. */
        val USUAL: Hold = Hold(maxMillis = -1)
    }
}
