package io.signalbox.quorum.internal

import io.signalbox.InternalSignalboxApi

/** What a handle has cost so far; for measurements. */
@InternalSignalboxApi
public interface Contention {
    public val grants: Long

    /** How often a slot was asked for by those that were granted one. */
    public val tries: Long
}
