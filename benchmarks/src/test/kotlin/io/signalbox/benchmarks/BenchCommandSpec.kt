package io.signalbox.benchmarks

import com.github.ajalt.clikt.command.test
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.benchmarks.report.Report
import java.io.File

class BenchCommandSpec :
    FunSpec({
        test("every server gets its own lines and its own file, and is named in both") {
            val directory = tempdir()
            val file = File(directory, "bench.json")
            val result = BenchCommand().test("J2 --rounds 1 --seconds 0.05 --server bundled --server bundled --json $file")
            result.statusCode shouldBe 0
            Regex("bundled redis-server").findAll(result.stdout).count() shouldBe 2
            Regex("J2 java_blocking_p50 [0-9.]+ target 1.15 (ok|short)").findAll(result.stdout).count() shouldBe 2
            listOf(file, File(directory, "bench-2.json")).forEach {
                Report.read(it.readText()).machine.server shouldContain "bundled redis-server"
            }
        }

        test("a server that is not there") {
            val result = BenchCommand().test("J2 --server no-such-server")
            result.statusCode shouldNotBe 0
            result.stderr shouldContain "no-such-server"
        }
    })
