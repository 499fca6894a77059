package io.signalbox.examples.demo.service

import io.signalbox.testkit.ChildJvm
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.time.Duration
import java.util.concurrent.CompletableFuture

/** Two instances, what they are asked for, and what came of it. */
internal class ServiceDemo(private val redis: String) : AutoCloseable {
    private class Instance(val name: String, val jvm: ChildJvm) {
        val port = jvm.awaitLine("listening ").substringAfter("listening ").toInt()
    }

    private val http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
    private val jvms = NAMES.map { name ->
        ChildJvm.start(
            "io.signalbox.examples.service.ServiceMainKt",
            listOf(redis, name, "0"),
            listOf("-Xmx128m", "-XX:TieredStopAtLevel=1"),
        )
    }
    private val instances = NAMES.zip(jvms) { name, jvm -> Instance(name, jvm) }

    fun introduce() {
        instances.forEach { println("Instance ${it.name}: http://127.0.0.1:${it.port}") }
        println("Try /export, /report, /health, /metrics, and POST /reminders/anything. Ctrl-C ends it.")
    }

    /** As a load balancer does: an instance may not be ready with its first answer. */
    private fun awaitHealthy(instance: Instance) {
        val deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos()
        while (true) {
            val health = get(instance, "/health").get()
            if (health.statusCode() == OK) return
            check(System.nanoTime() < deadline) { "Instance ${instance.name} is not healthy: ${health.body()}" }
            Thread.sleep(100)
        }
    }

    /** Whether all that was promised was kept. */
    fun run(): Boolean {
        val (one, other) = instances
        instances.forEach(::awaitHealthy)

        val exports = List(REQUESTS) { get(instances[it % 2], "/export") }.map { it.get() }
        val done = exports.filter { it.statusCode() == OK }
        val most = mostAtOnce(done.map { it.body() })
        println(
            "$REQUESTS exports asked of both instances: ${done.size} done, never more than $most at once, ${REQUESTS - done.size} told to come again.",
        )

        val reports = List(10) { get(instances[it % 2], "/report") }.map { it.get().body() }
        println("10 reports under one lock: ${reports.distinct().size} different tokens.")

        post(other, "/reminders/lunch").get()
        println("Instance ${other.name} has set a timer, and is told to end.")
        ProcessHandle.of(other.jvm.pid).get().destroy()
        other.jvm.waitFor()
        val afterwards = List(PERMITS) { get(one, "/export") }.map { it.get().statusCode() }
        val reminded = "reminded of lunch" in other.jvm.output() || "reminded of lunch" in one.jvm.awaitLine("reminded of lunch")
        println("Instance ${one.name} has all $PERMITS permits at once, and the timer was handled.")

        val metrics = get(one, "/metrics").get().body()
        val granted = metrics.lines().first {
            it.startsWith("signalbox_acquire_seconds_count{kind=\"semaphore\",name=\"exports\",outcome=\"granted\"")
        }
        println("From /metrics: $granted")

        val kept = most in 1..PERMITS && done.size >= PERMITS && reports.distinct().size == 10 && afterwards.all { it == OK } && reminded
        println(if (kept) "demo: ok" else "demo: a promise was broken, see above")
        return kept
    }

    private fun get(instance: Instance, path: String): CompletableFuture<HttpResponse<String>> = send(
        HttpRequest.newBuilder(uri(instance, path)).build(),
    )

    private fun post(instance: Instance, path: String) = send(
        HttpRequest.newBuilder(uri(instance, path)).POST(BodyPublishers.noBody()).build(),
    )

    private fun uri(instance: Instance, path: String) = URI("http://127.0.0.1:${instance.port}$path")

    private fun send(request: HttpRequest) = http.sendAsync(request, BodyHandlers.ofString())

    /** Each of [exports] says `token begin end`, by the clock that all processes of a machine share. */
    private fun mostAtOnce(exports: List<String>): Int {
        val edges = exports.flatMap { export ->
            val (_, begin, end) = export.split(' ').map(String::toLong)
            listOf(begin to 1, end to -1)
        }
        return edges.sortedWith(compareBy({ it.first }, { it.second })).runningFold(0) { now, edge -> now + edge.second }.max()
    }

    override fun close() = jvms.forEach(ChildJvm::close)

    private companion object {
        val NAMES = listOf("a", "b")
        const val REQUESTS = 80
        const val PERMITS = 5
        const val OK = 200
    }
}
