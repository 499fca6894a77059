package io.signalbox.java.internal

import java.lang.StackWalker.StackFrame
import java.lang.reflect.Modifier

/** How `null` is refused: by the parameter, and the method as its caller knows it. The compiler's own checks would name what is inside. */
internal object Nulls {
    private val walker = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
    private val packages = setOf("io.signalbox.java", "io.signalbox.java.quorum", "io.signalbox.java.timers")

    /** [value], unless it is `null`. */
    @JvmStatic
    fun <T : Any> given(
        value: T?,
        parameter: String,
    ): T = value ?: throw NullPointerException("${place()}: $parameter must not be null.")

    /** Every element of [values], none of which may be `null`. */
    @JvmStatic
    fun <T : Any, C : Iterable<T?>> allGiven(
        values: C?,
        parameter: String,
    ): C = given(values, parameter).also { all -> for (value in all) given(value, "an element of $parameter") }

    /** Every key and value of [values], none of which may be `null`. */
    @JvmStatic
    fun <M : Map<*, *>> allGiven(
        values: M?,
        parameter: String,
    ): M =
        given(values, parameter).also { all ->
            for ((key, value) in all) {
                given(key, "a key of $parameter")
                given(value, "the value of '$key' in $parameter")
            }
        }

    /** The first method from here on that is one of the API, or implements one. */
    private fun place(): String =
        walker.walk<String> { frames -> frames.iterator().asSequence().firstNotNullOfOrNull(::nameOf) ?: "Signalbox" }

    private fun nameOf(frame: StackFrame): String? {
        val type = (listOf(frame.declaringClass) + frame.declaringClass.interfaces).firstOrNull(::isApi) ?: return null
        val name = type.name.removePrefix("${type.packageName}.").replace('$', '.')
        // Neither a helper within such a class.
        return when {
            frame.methodName != "<init>" && type.methods.none { it.name == frame.methodName } -> null
            frame.methodName != "<init>" -> "$name.${frame.methodName}"
            type.isRecord -> name
            else -> null
        }
    }

    private fun isApi(type: Class<*>) = Modifier.isPublic(type.modifiers) && type.packageName in packages
}
