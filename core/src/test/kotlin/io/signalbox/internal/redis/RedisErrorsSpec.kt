package io.signalbox.internal.redis

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.RedisCommandTimeoutException
import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import java.io.IOException
import java.util.concurrent.CompletionException

/** What an error says about the request that failed. */
class RedisErrorsSpec : FunSpec({
    fun refused(text: String) = RedisCommandExecutionException(text)

    test("a server that is not able to, at the moment, has executed nothing, and is asked again") {
        for (text in listOf(
            "NOSCRIPT No matching script.",
            "BUSY Redis is busy running a script.",
            "LOADING Redis is loading the dataset in memory",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "CLUSTERDOWN The cluster is down",
            "MASTERDOWN Link with MASTER is down",
            "READONLY You can't write against a read only replica.", "NOREPLICAS Not enough good replicas to write.",
            "MISCONF Redis is configured to save RDB snapshots", "OOM command not allowed when used memory > 'maxmemory'.",
            "ERR max number of clients reached",
        )) {
            withClue(text) {
                for (error in listOf(refused(text), CompletionException(refused(text)))) {
                    val failure = RedisErrors.classify(error)
                    failure.executed shouldBe false
                    failure.final shouldBe false
                }
            }
        }
    }

    test(
        "the code of an error inside a script counts, wherever a server puts it; these are said of the first write, so nothing was executed",
    ) {
        for (text in listOf(
            "ERR Error running script (call to f_a0): @user_script:1: @user_script: 12: -READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_a0): @user_script:12: @user_script: 12: -NOREPLICAS Not enough good replicas to write.",
            "ERR Error running script (call to f_a0): @user_script:12: -OOM command not allowed when used memory > 'maxmemory'.",
            "ERR Error running script (call to f_a0): @user_script:12: -MISCONF Redis is configured to save RDB snapshots",
            "READONLY You can't write against a read only replica. script: a0, on @user_script:12.",
        )) {
            withClue(text) {
                val failure = RedisErrors.classify(refused(text))
                failure.executed shouldBe false
                failure.refused shouldBe true
                failure.final shouldBe false
            }
        }
    }

    for ((text, remedy) in mapOf(
        "READONLY You can't write against a read only replica." to "primary",
        "NOREPLICAS Not enough good replicas to write." to "min-replicas-to-write",
        "MISCONF Redis is configured to save RDB snapshots" to "disk",
        "OOM command not allowed when used memory > 'maxmemory'." to "maxmemory",
        "ERR Error running script (call to f_a0): @user_script:12: @user_script: 12: -NOREPLICAS Not enough good replicas to write." to
            "min-replicas-to-write",
    )) {
        test("a server that takes no writes is said to, and what is to be done: $text") {
            for (told in RedisErrors.classify(refused(text)).let { listOf(it.error, it.told()) }) {
                (told is StoreUnavailableException) shouldBe true
                told.message shouldContain text.trimEnd('.')
                told.message shouldContain remedy
            }
            RedisErrors.isReadOnly(RedisErrors.classify(refused(text)).error) shouldBe text.startsWith("READONLY")
        }
    }

    test("a node of a cluster is told to be one, at once") {
        val failure = RedisErrors.classify(refused("MOVED 3999 127.0.0.1:6381"))
        failure.final shouldBe true
        failure.executed shouldBe false
        failure.error.message shouldContain "cluster"
    }

    test("an error inside a script names the file and the line in it") {
        val script = Scripts.production.exchange
        val lines = String(script.body).lines()
        val give = lines.indexOfFirst { it.startsWith("-- Section: give.") } + 1
        val error = refused("ERR user_script:${give + 2}: attempt to compare nil with number script: a0, on @user_script:${give + 2}.")
        RedisErrors.classify(error, script).error.message shouldContain "exchange/give.lua:3: attempt"
    }

    test("a connection that fails leaves the outcome open") {
        for (error in listOf(
            IOException("Connection reset by peer"),
            RedisCommandTimeoutException("Command timed out after 1 minute(s)"),
        )) {
            val failure = RedisErrors.classify(error)
            failure.executed shouldBe true
            failure.final shouldBe false
        }
    }

    test("a server that forbids the scripts will go on to do so, and the remedy is named") {
        for ((text, executed) in mapOf(
            "NOPERM User app has no permissions to run the 'evalsha' command" to false,
            "ERR unknown command 'EVALSHA', with args beginning with:" to false,
            // In the middle of it, perhaps.
            "ERR ACL failure in script: User app has no permissions to run the 'zadd' command script: 1" to true,
        )) {
            withClue(text) {
                val failure = RedisErrors.classify(refused(text))
                failure.final shouldBe true
                failure.executed shouldBe executed
                (failure.error is ScriptNotPermittedException) shouldBe true
                failure.error.message shouldContain "ACL"
            }
        }
    }

    test("a script that was refused half-way may have written what came before") {
        for (text in listOf(
            "ERR Error running script (call to f_a0): @user_script:12: Script attempted to access an undeclared key",
            "ERR Script attempted to access an undeclared key script: a0, on @user_script:12.",
            "WRONGTYPE Operation against a key holding the wrong kind of value script: a0, on @user_script:12.",
        )) {
            withClue(text) {
                val failure = RedisErrors.classify(refused(text))
                failure.executed shouldBe true
                failure.final shouldBe true
            }
        }
    }

    test("a server in protected mode is told to be one, and what to do") {
        val text = "DENIED Redis is running in protected mode because no password is set for the default user."
        val failure = RedisErrors.classify(refused(text))
        failure.final shouldBe true
        failure.executed shouldBe false
        (failure.error is StoreUnavailableException) shouldBe true
        failure.error.message shouldContain "protected mode"
        failure.error.message shouldContain "Give the server a password"
    }

    test("whatever else a server says is final, and passed on") {
        val failure = RedisErrors.classify(refused("WRONGTYPE Operation against a key holding the wrong kind of value"))
        failure.final shouldBe true
        (failure.error is StoreUnavailableException) shouldBe true
        failure.error.message shouldContain "WRONGTYPE"
        failure.error.message shouldContain "namespace"
    }
})
