package io.signalbox

/**
 * Marks what other modules of this library are built on: connections, scripts, announcements. Not for applications; it changes
 * without notice and without a new major version.
 */
@RequiresOptIn(
    level = RequiresOptIn.Level.ERROR,
    message = "This is plumbing of Signalbox's own modules. It changes without notice.",
)
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION, AnnotationTarget.PROPERTY, AnnotationTarget.CONSTRUCTOR)
public annotation class InternalSignalboxApi
