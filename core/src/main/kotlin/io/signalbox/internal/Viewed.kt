package io.signalbox.internal

import io.signalbox.InternalSignalboxApi

/** A handle that others give views of their own, which live as long as it does. */
@InternalSignalboxApi
public interface Viewed {
    /** Written under the lock of the handle, once. */
    public var views: Any?
}
