package io.signalbox.internal

import io.signalbox.InternalSignalboxApi

/**
 * The dependencies whose version somebody else may choose, a framework's BOM for instance, and the oldest that works.
 *
 * With an older one calls fail as they come, with a `NoSuchMethodError` where nobody sees it: a lost permit would go unnoticed. So
 * every way to a client asks here first, and our modules for a framework ask for theirs. What is written here must itself run on old
 * versions, of Kotlin too.
 */
@InternalSignalboxApi
public object Requirements {
    /**
     * One dependency.
     *
     * @param property what sets its version in a build whose parent is Spring Boot's; `null` if that manages none.
     * @param find the version that is there, `null` if it cannot be told (repackaged jars) or the dependency is optional and missing.
     */
    @InternalSignalboxApi
    public class Requirement(
        public val name: String,
        public val oldest: String,
        public val property: String?,
        public val find: () -> String?,
    )

    /** What Kotlin's standard library must be at least. */
    public fun kotlin(oldest: String): Requirement =
        Requirement("kotlin-stdlib", oldest, "kotlin.version") { KotlinVersion.CURRENT.toString() }

    private val all: List<Requirement> =
        listOf(
            kotlin("2.2.0"),
            Requirement("kotlinx-coroutines-core", "1.10.2", "kotlin-coroutines.version") {
                // The one that has no version in its manifest.
                resource("kotlinx.coroutines.Job", "META-INF/kotlinx_coroutines_core.version")
            },
            Requirement("kotlinx-serialization", "1.6.3", "kotlin-serialization.version") { manifest("kotlinx.serialization.KSerializer") },
            Requirement("lettuce-core", "6.6.0", "lettuce.version") { manifest("io.lettuce.core.RedisClient") },
            Requirement("netty", "4.1.118", "netty.version") { manifest("io.netty.util.Timer") },
            Requirement("reactor-core", "3.6.6", "reactor-bom.version") { manifest("reactor.core.publisher.Flux") },
            Requirement("slf4j-api", "2.0.0", "slf4j.version") { manifest("org.slf4j.Logger") },
        )

    @Volatile
    private var met = false

    /** @throws IllegalStateException if a dependency is too old; the text names all that are, with what is needed. */
    internal fun check() {
        if (met) return
        check(all)
        met = true
    }

    /** @throws IllegalStateException if one of these is too old; see the other. */
    public fun check(requirements: List<Requirement>) {
        complaint(requirements)?.let { throw IllegalStateException(it) }
    }

    /** By name, the version of each dependency that is there. */
    internal fun found(): Map<String, String?> = all.associate { it.name to it.find() }

    /** What is wrong with the versions that are found, or `null`. */
    internal fun complaint(requirements: List<Requirement>): String? {
        val text = StringBuilder()
        val properties = StringBuilder()
        for (requirement in requirements) {
            val found = requirement.find() ?: continue
            if (!isOlder(found, requirement.oldest)) continue
            text.append("\n  ${requirement.name}: found $found, needed ${requirement.oldest} or newer")
            val property = requirement.property ?: continue
            properties.append(if (properties.isEmpty()) "" else ", ").append(property)
        }
        if (text.isEmpty()) return null
        val ofBoot = if (properties.isEmpty()) "" else "; with Spring Boot by the properties $properties"
        return "Signalbox cannot run on dependencies this old:$text\n" +
            "They are older than what Signalbox depends on, so something in the build has chosen them: a parent, an imported BOM, or a " +
            "version of its own. Choose newer ones there$ofBoot."
    }

    private fun isOlder(
        found: String,
        oldest: String,
    ): Boolean {
        val numbers = numbers(found)
        val least = numbers(oldest)
        for (place in least.indices) {
            val number = if (place < numbers.size) numbers[place] else 0
            if (number != least[place]) return number < least[place]
        }
        return false
    }

    /** The leading numbers: of `6.8.2.RELEASE/a1b2` 6, 8, 2. */
    private fun numbers(version: String): List<Int> {
        val numbers = ArrayList<Int>()
        for (part in version.split('.', '-', '/', '+')) numbers.add(part.toIntOrNull() ?: break)
        return numbers
    }

    /** The version in the manifest of the jar in which [loader] finds that class. */
    public fun manifest(
        className: String,
        loader: ClassLoader? = Requirements::class.java.classLoader,
    ): String? {
        val type = load(className, loader) ?: return null
        val version = type.`package`?.implementationVersion ?: return type.module.descriptor?.rawVersion()?.orElse(null)
        return version.trim()
    }

    private fun resource(
        className: String,
        name: String,
    ): String? =
        load(className, Requirements::class.java.classLoader)?.classLoader?.getResourceAsStream(name)?.use { stream ->
            stream
                .readBytes()
                .decodeToString()
                .trim()
                .ifEmpty { null }
        }

    private fun load(
        className: String,
        loader: ClassLoader?,
    ): Class<*>? =
        try {
            Class.forName(className, false, loader)
        } catch (_: ClassNotFoundException) {
            null
        }
}
