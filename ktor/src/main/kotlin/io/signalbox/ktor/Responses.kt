package io.signalbox.ktor

import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import kotlin.time.Duration
import kotlin.time.DurationUnit

/**
 * Answers 503 in the words of RFC 9457, with the reason, unless an answer has begun.
 *
 * ```
 * 503 Service Unavailable
 * Retry-After: 2
 * Content-Type: application/problem+json
 *
 * {"title":"Too many requests are being handled.","status":503,"reason":"busy"}
 * ```
 *
 * @param retryAfter what `Retry-After` says if the rejection [is temporary][Rejection.isTemporary]; rounded up to seconds.
 */
public suspend fun ApplicationCall.respondRejection(
    rejection: Rejection,
    retryAfter: Duration,
) {
    if (response.isCommitted) return
    if (rejection.isTemporary) response.header(HttpHeaders.RetryAfter, "${seconds(retryAfter)}")
    val status = HttpStatusCode.ServiceUnavailable
    // All of it is our own text: there is nothing to escape.
    val text = """{"title":"${rejection.title}","status":${status.value},"reason":"${rejection.code}"}"""
    respondText(text, ContentType.Application.ProblemJson, status)
}

private fun seconds(duration: Duration): Long {
    val whole = duration.inWholeSeconds
    return if (duration.toDouble(DurationUnit.SECONDS) > whole) whole + 1 else whole
}
