package io.signalbox.ktor.processes

import io.signalbox.testkit.ChildJvm
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue

/** One instance of the service in a JVM of its own. */
internal class Instance(
    redis: String,
    lease: String,
) : AutoCloseable {
    /** What it has said of one request, or of its own end. */
    class Said(
        val what: String,
        val token: Long,
        val at: Long,
    )

    val said = ConcurrentLinkedQueue<Said>()
    val jvm = ChildJvm.start(
        "io.signalbox.ktor.processes.ServiceProcessKt",
        listOf(redis, lease),
        listOf("-Xmx128m", "-XX:TieredStopAtLevel=1"),
    ) { line ->
        val words = line.split(' ')
        if (words[0] in setOf("enter", "leave", "stopping")) said += Said(words[0], words[1].toLong(), words[2].toLong())
    }
    private val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
    val port: Int by lazy { jvm.awaitLine("port ").substringAfter("port ").toInt() }

    fun ask(path: String): CompletableFuture<HttpResponse<String>> =
        client.sendAsync(
            HttpRequest.newBuilder(URI("http://127.0.0.1:$port$path")).timeout(Duration.ofSeconds(60)).build(),
            BodyHandlers.ofString(),
        )

    /** Ends it as an orchestrator does, with SIGTERM. */
    fun terminate() {
        ProcessHandle.of(jvm.pid).get().destroy()
    }

    override fun close() = jvm.close()
}

/** The most requests that were inside at one moment, seen from what all instances said; one that is dead was inside until [deaths] of its own. */
internal fun mostAtOnce(
    instances: List<Instance>,
    deaths: Map<Instance, Long> = emptyMap(),
): Int {
    val edges =
        instances.flatMap { instance ->
            val left = instance.said.filter { it.what == "leave" }.associateBy { it.token }
            instance.said.filter { it.what == "enter" }.flatMap { entered ->
                val end = left[entered.token]?.at ?: deaths[instance] ?: Long.MAX_VALUE
                listOf(entered.at to 1, end to -1)
            }
        }
    var now = 0
    var most = 0
    // At the same nanosecond the one that leaves goes first.
    for ((_, change) in edges.sortedWith(compareBy({ it.first }, { it.second }))) {
        now += change
        most = maxOf(most, now)
    }
    return most
}
