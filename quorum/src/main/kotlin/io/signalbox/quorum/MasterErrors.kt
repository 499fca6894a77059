package io.signalbox.quorum

/** What an acquire makes of the errors of single masters; see [QuorumSettings.onMasterError]. */
public enum class MasterErrors {
    /** A majority that answers is enough; what is wrong with the others is logged, and they are asked again the next time. */
    IGNORE,

    /**
     * An acquire fails with [StoreUnavailableException][io.signalbox.StoreUnavailableException] as soon as a single master does not answer,
     * although a majority might. For those who want to know at once that they are one failure away from standing still. What is held stays held.
     */
    THROW,
}
