package io.signalbox.benchmarks

import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer

/** Who runs a closed loop, how, and under which load. */
internal data class Entry(
    val peer: Peer,
    val coroutines: Int,
    val permits: Int,
    val form: Form = Form.RELEASE,
) {
    val title: String get() = peer.title(form)

    /** The same load in the block form. */
    fun inBlock() = copy(form = Form.BLOCK)
}
