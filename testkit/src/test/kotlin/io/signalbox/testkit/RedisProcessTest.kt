package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.file.shouldNotExist
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import java.io.IOException
import java.net.SocketTimeoutException
import java.nio.file.Files
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText

class RedisProcessTest : FunSpec({
    test("a started server answers at its address") {
        RedisServer.start().use { server ->
            server.uri shouldBe "redis://127.0.0.1:${server.port}"
            server.command("SET", "key", "a value") shouldBe "OK"
            RespConnection(RedisAddress.of(server.uri)).use { it.call(listOf("GET", "key")) } shouldBe "a value"
        }
    }

    test("the server that comes with the testkit can be asked for, and a server says which it is") {
        RedisServer.start { bundledBinary() }.use { it.origin shouldStartWith "bundled redis-server 7.0" }
    }

    test("replies come as text, errors as exceptions") {
        RedisServer.start().use { server ->
            server.command("GET", "absent") shouldBe ""
            server.command("RPUSH", "list", "a", "b", "c") shouldBe "3"
            server.command("LRANGE", "list", "0", "-1") shouldBe "a\nb\nc"
            shouldThrow<RedisErrorReply> { server.command("GET", "list") }.message shouldStartWith "WRONGTYPE"
        }
    }

    test("a killed server with an append-only file comes back at its address with every answered write") {
        RedisServer.start { appendOnly(Fsync.ALWAYS) }.use { server ->
            val (pid, uri) = server.pid to server.uri
            server.command("SET", "key", "value")
            server.kill()
            server.isRunning shouldBe false
            shouldThrow<IOException> { server.command("PING") }

            server.restart()

            server.uri shouldBe uri
            server.pid shouldNotBe pid
            server.command("GET", "key") shouldBe "value"
        }
    }

    test("a server without persistence comes back empty") {
        RedisServer.start().use { server ->
            server.command("SET", "key", "value")
            server.restart()
            server.command("DBSIZE") shouldBe "0"
        }
    }

    test("a stopped server shuts down in an orderly way, even from being frozen") {
        RedisServer.start().use { server ->
            server.freeze()
            server.stop()
            server.isRunning shouldBe false
            server.log() shouldContain "bye bye"
            server.stop()
        }
    }

    test("a frozen server leaves requests unanswered until it is thawed") {
        RedisServer.start().use { server ->
            RespConnection(RedisAddress.of(server.uri)).use { connection ->
                server.freeze()
                connection.patience = Duration.ofMillis(100)
                connection.send(listOf("INCR", "counter"))
                shouldThrow<SocketTimeoutException> { connection.receive() }
            }
            server.thaw()
            // Both went through one server, so the abandoned request has had its turn.
            server.command("INCR", "counter") shouldBe "2"
        }
    }

    test("a closed server leaves nothing behind, even if it was frozen") {
        val server = RedisServer.start { appendOnly().tls() }
        val process = ProcessHandle.of(server.pid).get()
        server.freeze()
        server.close()
        process.isAlive shouldBe false
        server.dataDirectory.parent.toFile().shouldNotExist()
        server.close()
        shouldThrow<IllegalStateException> { server.restart() }.message shouldContain "closed"
    }

    test("a user may do what its rules allow") {
        RedisServer.start { user("reader", "on", ">secret", "~app:*", "+get") }.use { server ->
            server.command("SET", "app:key", "value")
            RespConnection(RedisAddress.of(server.uriFor("reader", "secret"))).use { reader ->
                reader.call(listOf("GET", "app:key")) shouldBe "value"
                shouldThrow<RedisErrorReply> { reader.call(listOf("GET", "other")) }.message shouldStartWith "NOPERM"
                shouldThrow<RedisErrorReply> { reader.call(listOf("SET", "app:key", "x")) }.message shouldStartWith "NOPERM"
            }
            shouldThrow<RedisErrorReply> { RespConnection(RedisAddress.of(server.uriFor("reader", "wrong"))) }.message shouldStartWith
                "WRONGPASS"
        }
    }

    test("a server with a password wants it, also after a restart") {
        RedisServer.start { password("pa:ss/wo+rd%") }.use { server ->
            server.restart()
            RespConnection(RedisAddress.of(server.uri)).use { it.call(listOf("PING")) } shouldBe "PONG"
            RespConnection(RedisAddress(server.host, server.port)).use { stranger ->
                shouldThrow<RedisErrorReply> { stranger.call(listOf("PING")) }.message shouldStartWith "NOAUTH"
            }
            server.command("ACL", "WHOAMI") shouldBe "signalbox-testkit"
        }
    }

    test("a server whose default user is shut out can still be administered") {
        RedisServer.start { acl("user default off\nuser app on >secret ~* +@all") }.use { server ->
            server.command("PING") shouldBe "PONG"
            RespConnection(RedisAddress.of(server.uriFor("app", "secret"))).use { it.call(listOf("ACL", "WHOAMI")) } shouldBe "app"
        }
    }

    test("a full server refuses writes") {
        RedisServer.start { maxMemory("3mb") }.use { server ->
            val error = shouldThrow<RedisErrorReply> { repeat(100) { server.command("SET", "key-$it", "x".repeat(100_000)) } }
            error.message shouldStartWith "OOM"
        }
    }

    test("DEBUG is refused unless it is asked for, by servers that know how to") {
        if (RedisBinary.default.guardsDebug) {
            RedisServer.start().use { server ->
                shouldThrow<RedisErrorReply> { server.command("DEBUG", "SLEEP", "0") }.message shouldContain "DEBUG command not allowed"
            }
        }
        RedisServer.start { debugCommands() }.use { it.command("DEBUG", "SLEEP", "0") shouldBe "OK" }
    }

    test("a program that hangs when it is asked for its version is ended, and has none that is known") {
        val directory = Files.createTempDirectory("signalbox-hangs-")
        val program = directory.resolve("server")
        program.writeText("#!/bin/sh\nsleep 3600 &\necho $! >'$directory/pid'\nwait\n")
        program.toFile().setExecutable(true)
        RedisBinary.at(program, Duration.ofMillis(500)).guardsDebug shouldBe true
        val pid = directory.resolve("pid").takeIf { it.exists() }?.readText()?.trim()?.toLongOrNull()
        pid?.let(ProcessHandle::of)?.orElse(null)?.onExit()?.get(10, TimeUnit.SECONDS)
        directory.toFile().deleteRecursively()
    }

    test("a program that tells its version and leaves something running behind it is not waited for") {
        val directory = Files.createTempDirectory("signalbox-lingers-")
        val program = directory.resolve("server")
        program.writeText("#!/bin/sh\nsleep 3600 &\necho $! >'$directory/pid'\necho 'Redis server v=6.2.6'\n")
        program.toFile().setExecutable(true)
        RedisBinary.at(program).guardsDebug shouldBe false
        ProcessHandle.of(directory.resolve("pid").readText().trim().toLong()).get().destroyForcibly()
        directory.toFile().deleteRecursively()
    }

    test("any directive can be set, whatever is in its values") {
        RedisServer.start {
            config("client-output-buffer-limit", "normal", "1mb", "512kb", "7")
            config("proc-title-template", "{title} \"quoted\" \\ back")
        }.use { server ->
            server.command("CONFIG", "GET", "client-output-buffer-limit") shouldContain "normal 1048576 524288 7"
            server.command("CONFIG", "GET", "proc-title-template") shouldBe "proc-title-template\n{title} \"quoted\" \\ back"
        }
    }

    test("a server that does not come up says why") {
        val error = shouldThrow<IllegalStateException> { RedisServer.start { config("no-such-directive", "1") } }
        error.message shouldContain "ended with exit code 1"
        error.message shouldContain "Bad directive"
        error.message shouldNotContain "TLS"
    }

    test("a replica has its master's data, and can take over") {
        RedisServer.start { password("secret") }.use { master ->
            master.command("SET", "key", "value")
            RedisServer.start { replicaOf(master) }.use { replica ->
                replica.command("GET", "key") shouldBe "value"
                shouldThrow<RedisErrorReply> { replica.command("SET", "key", "other") }.message shouldStartWith "READONLY"
                master.kill()
                replica.promote()
                replica.command("SET", "key", "other") shouldBe "OK"
            }
        }
    }
})
