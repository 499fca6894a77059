package io.signalbox

/** Whether a client has a connection to its store, see [Signalbox.state]. */
public enum class ConnectionState {
    /** There has been none yet: nothing has needed one, or the first has not come about. */
    NOT_CONNECTED,

    /** The command connection is open. A client of an [InMemoryStore] always is. */
    CONNECTED,

    /** The command connection was lost and is being replaced; what is held stays held as long as its lease. */
    RECONNECTING,

    /** The client was closed. Nothing follows. */
    CLOSED,
}
