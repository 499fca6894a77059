package io.signalbox.java;

/** What a newly created semaphore does with newcomers, because the creation may follow a loss of data. */
public enum AfterDataLoss {
    /**
     * Grants free permits at once. If the server lost its data while permits were held, up to the full count of extra holders can exist until
     * their leases have lapsed; holders whose client is alive put themselves back first.
     */
    GRANT_AT_ONCE,

    /**
     * Grants nothing to newcomers for one lease after each creation, the very first included: until then every holder from before the loss has
     * either put itself back or lost its lease.
     */
    QUARANTINE,
}
