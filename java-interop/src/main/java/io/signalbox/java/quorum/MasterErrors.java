package io.signalbox.java.quorum;

/** What an acquire makes of the errors of single masters; see {@link QuorumOptions.Builder#onMasterError(MasterErrors)}. */
public enum MasterErrors {
    /** A majority that answers is enough. */
    IGNORE,

    /**
     * An acquire fails with {@code StoreUnavailableException} as soon as a single master does not answer, although a majority might. What is
     * held stays held.
     */
    THROW
}
