package io.signalbox.abi

import java.io.File
import java.util.jar.JarFile
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.FieldVisitor
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/** A field or method that a class file names, as the JVM looks it up: `owner.name` and its descriptor. */
internal data class Symbol(
    val owner: String,
    val name: String,
    val descriptor: String,
) {
    override fun toString() = "${owner.replace('/', '.')}.$name$descriptor"
}

/** What a class declares, which is all that linking asks for. */
internal class Declared(
    val name: String,
    val parents: List<String>,
    val isAbstract: Boolean,
) {
    /** Fields and methods, by name and descriptor; those without a body are true. */
    val members = mutableMapOf<Pair<String, String>, Boolean>()
}

/** The classes in jars and folders, and those of the JDK. */
internal class ClassPath(roots: List<File>) {
    private val files: Map<String, () -> ByteArray> = roots.flatMap(::entries).toMap()
    private val classes = mutableMapOf<String, Declared?>()

    /** The names of the classes in the jars and folders. */
    val names: Set<String> get() = files.keys

    fun bytes(name: String): ByteArray = files.getValue(name)()

    fun declared(name: String): Declared? = classes.getOrPut(name) { (files[name]?.invoke() ?: ofTheJdk(name))?.let(::declared) }

    /** [name] and all that it inherits from, nearest first; those that are nowhere are left out. */
    fun lineage(name: String): Sequence<Declared> =
        sequence {
            val seen = mutableSetOf<String>()
            val next = ArrayDeque(listOf(name))
            while (next.isNotEmpty()) {
                val type = next.removeFirst().takeIf(seen::add)?.let(::declared) ?: continue
                yield(type)
                next += type.parents
            }
        }

    private fun ofTheJdk(name: String) = ClassLoader.getPlatformClassLoader().getResourceAsStream("$name.class")?.use { it.readBytes() }

    private fun entries(root: File): List<Pair<String, () -> ByteArray>> =
        if (root.isDirectory) {
            root.walk().filter { it.extension == "class" }.map { it.relativeTo(root).path.removeSuffix(".class") to it::readBytes }.toList()
        } else {
            JarFile(root).use { jar ->
                jar.stream().map { it.name }.filter { it.endsWith(".class") && "META-INF" !in it }.toList()
            }.map { entry ->
                entry.removeSuffix(".class") to { JarFile(root).use { jar -> jar.getInputStream(jar.getEntry(entry)).readBytes() } }
            }
        }
}

private fun declared(file: ByteArray): Declared {
    lateinit var result: Declared
    val visitor =
        object : ClassVisitor(Opcodes.ASM9) {
            override fun visit(
                version: Int,
                access: Int,
                name: String,
                signature: String?,
                superName: String?,
                interfaces: Array<String>,
            ) {
                result = Declared(name, listOfNotNull(superName) + interfaces, access and Opcodes.ACC_ABSTRACT != 0)
            }

            override fun visitField(
                access: Int,
                name: String,
                descriptor: String,
                signature: String?,
                value: Any?,
            ): FieldVisitor? = null.also { result.members[name to descriptor] = false }

            override fun visitMethod(
                access: Int,
                name: String,
                descriptor: String,
                signature: String?,
                exceptions: Array<String>?,
            ): MethodVisitor? = null.also { result.members[name to descriptor] = access and Opcodes.ACC_ABSTRACT != 0 }
        }
    ClassReader(file).accept(visitor, ClassReader.SKIP_CODE or ClassReader.SKIP_DEBUG or ClassReader.SKIP_FRAMES)
    return result
}

private const val CLASS_TAG = 7
private val MEMBER_TAGS = 9..11

/** The classes and members that the constant pool of a class file names. */
internal fun named(file: ByteArray): Pair<Set<String>, Set<Symbol>> {
    val reader = ClassReader(file)
    val buffer = CharArray(reader.maxStringLength)
    val types = mutableSetOf<String>()
    val symbols = mutableSetOf<Symbol>()
    for (index in 1 until reader.itemCount) {
        val item = reader.getItem(index)
        if (item == 0) continue // the second half of a long or double
        when (reader.readByte(item - 1)) {
            CLASS_TAG -> types += reader.readUTF8(item, buffer)

            in MEMBER_TAGS -> {
                val nameAndType = reader.getItem(reader.readUnsignedShort(item + 2))
                symbols +=
                    Symbol(reader.readClass(item, buffer), reader.readUTF8(nameAndType, buffer), reader.readUTF8(nameAndType + 2, buffer))
            }
        }
    }
    return types.filterNot { it.startsWith("[") }.toSet() to symbols.filterNot { it.owner.startsWith("[") }.toSet()
}
