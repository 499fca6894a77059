package io.signalbox.java.internal.quorum

import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.internal.Calls
import io.signalbox.java.internal.Clients
import io.signalbox.java.internal.kotlin
import io.signalbox.java.quorum.MasterErrors
import io.signalbox.java.quorum.QuorumOptions
import io.signalbox.java.quorum.SignalboxQuorum
import io.signalbox.quorum.InMemoryMasters
import io.signalbox.quorum.MasterErrors as CoreMasterErrors
import io.signalbox.quorum.QuorumSettings
import io.signalbox.quorum.SignalboxQuorum as CoreQuorum
import io.signalbox.quorum.connectQuorum
import io.signalbox.quorum.inMemoryQuorum

/** Makes clients of quorums. */
internal object QuorumClients {
    @JvmStatic
    fun masters(count: Int): InMemoryMasters = InMemoryMasters(count)

    @JvmStatic
    fun connect(
        uris: List<String>,
        options: QuorumOptions,
    ): SignalboxQuorum = views(CoreSignalbox.connectQuorum(uris) { take(options) }, options)

    @JvmStatic
    fun inMemory(
        masters: InMemoryMasters,
        options: QuorumOptions,
    ): SignalboxQuorum = views(CoreSignalbox.inMemoryQuorum(masters) { take(options) }, options)

    private fun views(
        core: CoreQuorum,
        options: QuorumOptions,
    ): SignalboxQuorum = QuorumViews(core, Calls(options.callbackExecutor().orElseGet { Clients.futures })).blocking

    /** What was left out keeps the default of the core. */
    private fun QuorumSettings.take(options: QuorumOptions) {
        options.namespace().ifPresent { namespace = it }
        options.label().ifPresent { label = it }
        options.lease().ifPresent { lease = it.kotlin() }
        options.longestLease().ifPresent { longestLease = it.kotlin() }
        options.storeTimeout().ifPresent { storeTimeout = it.kotlin() }
        options.onMasterError().ifPresent {
            onMasterError = if (it == MasterErrors.THROW) CoreMasterErrors.THROW else CoreMasterErrors.IGNORE
        }
    }
}
