package io.signalbox.chaos.bug

import io.signalbox.internal.coordination.ClientSession
import io.signalbox.internal.coordination.InFlight
import io.signalbox.internal.redis.LateCommand
import net.bytebuddy.ByteBuddy
import net.bytebuddy.agent.ByteBuddyAgent
import net.bytebuddy.dynamic.loading.ClassReloadingStrategy
import net.bytebuddy.implementation.FixedValue
import net.bytebuddy.implementation.Implementation
import net.bytebuddy.implementation.MethodCall
import net.bytebuddy.matcher.ElementMatchers.named

/** A bug put into the classes of a client: a method of one of them does something else. */
internal class ClientBug(
    val name: String,
    /** The rule that it takes away, or the fix. */
    val undoes: String,
    private val type: Class<*>,
    private val method: String,
    private val instead: Implementation,
) {
    private var isDone = false

    /** In this JVM, once. */
    @Synchronized
    fun spoil() {
        if (isDone) return
        ByteBuddyAgent.install()
        check(type.declaredMethods.any { it.name == method }) { "$type has no $method any more" }
        ByteBuddy().redefine(type).method(named(method)).intercept(instead).make()
            .load(type.classLoader, ClassReloadingStrategy.fromInstalledAgent())
        isDone = true
    }

    companion object {
        val JVM_OPTIONS = listOf("-Djdk.attach.allowAttachSelf=true")
    }
}

private fun now() = MethodCall.invoke(System::class.java.getMethod("nanoTime"))

internal val CLIENT_BUGS: List<ClientBug> =
    listOf(
        ClientBug(
            "replies are swapped",
            "what is asked for while a request is being written leaves after it (each request has its own reply)",
            LateCommand.Companion::class.java,
            "isComposing",
            FixedValue.value(false),
        ),
        ClientBug(
            "a lease counts from its answer",
            "a lease counts from when the request was sent first (no deadline from the wrong attempt)",
            InFlight::class.java,
            "getSentAt",
            now(),
        ),
        ClientBug(
            "a lease has no end",
            "a client acts on no permit behind its deadline",
            ClientSession::class.java,
            "getDeadline",
            FixedValue.value(Long.MAX_VALUE),
        ),
        ClientBug(
            "what was said is never said again",
            "a release that meets an error is said again until it is executed",
            ClientSession::class.java,
            "getHasUnsaid",
            FixedValue.value(false),
        ),
    )
