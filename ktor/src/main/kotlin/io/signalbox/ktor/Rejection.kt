package io.signalbox.ktor

/** Why a request was answered with 503. [code] is what the answer says. */
public enum class Rejection(
    /** As in the member `reason` of the answer. */
    public val code: String,
    internal val title: String,
    /** Whether the same request may do better in a while: answered with `Retry-After`. */
    public val isTemporary: Boolean,
) {
    /** No permit was free in time: others have them. */
    BUSY("busy", "Too many requests are being handled.", true),

    /** As many requests wait in this instance as may. */
    TOO_MANY_WAITING("too_many_waiting", "Too many requests are waiting.", true),

    /** The server that counts permits did not answer. */
    STORE_UNAVAILABLE("store_unavailable", "The limit of this service cannot be checked.", false),

    /** The permit was lost while the request was being handled. */
    LEASE_LOST("lease_lost", "The request has lost its permit and was ended.", false),

    /** The application is being stopped. */
    STOPPING("stopping", "This instance is being stopped.", false),
}
