package io.signalbox.benchmarks.jmh

import io.signalbox.testkit.RedisServer
import java.io.File
import org.openjdk.jmh.profile.GCProfiler
import org.openjdk.jmh.results.format.ResultFormatType
import org.openjdk.jmh.runner.Runner
import org.openjdk.jmh.runner.options.CommandLineOptions
import org.openjdk.jmh.runner.options.OptionsBuilder

/**
 * `bin/bench --full [JMH options]`: every benchmark, all peers on one server that is started here, with allocation rates and percentiles,
 * results in JSON.
 */
fun main(arguments: Array<String>) {
    val given = CommandLineOptions(*arguments)
    when {
        given.shouldHelp() -> return given.showHelp()
        given.shouldList() -> return Runner(given).list()
    }
    RedisServer.start {}.use { server ->
        val options =
            OptionsBuilder()
                .parent(given)
                .jvmArgsAppend("-D$SERVER_PROPERTY=${server.uri}")
                .addProfiler(GCProfiler::class.java)
                .addProfiler(Extras::class.java)
                .shouldFailOnError(true)
        if (!given.resultFormat.hasValue()) options.resultFormat(ResultFormatType.JSON)
        if (!given.result.hasValue()) options.result("${File("benchmarks/target").apply { mkdirs() }}/jmh.json")
        Runner(options.build()).run()
    }
}

internal const val SERVER_PROPERTY = "signalbox.bench.redis"

/** The server of the run, or one of this JVM's own if a benchmark is run without [main]. */
internal fun serverUri(): String = System.getProperty(SERVER_PROPERTY) ?: RedisServer.shared().uri
