package io.signalbox.abi

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldNotBeEmpty
import java.io.File
import org.objectweb.asm.ClassWriter
import org.objectweb.asm.Opcodes

private val root = File(System.getProperty("user.dir")).canonicalFile.parentFile

/**
 * Every class, field and method that the published jars link to is there in the oldest and in the newest version of each
 * dependency, and whatever of theirs our classes implement, they implement whole.
 *
 * What is missing shows as a `NoSuchMethodError` only when the line is reached, which for cancellation and loss may be years later.
 */
class LinkageSpec :
    FunSpec({
        val ours = publishedModules.map { root.resolve("$it/target/classes") }

        listOf("oldest", "newest").forEach { age ->
            val jars = File("target/$age").listFiles { file -> file.extension == "jar" }.orEmpty().toList()

            test("our jars link with the $age dependencies") {
                jars.shouldNotBeEmpty()
                val classPath = ClassPath(ours + jars)
                val published = ClassPath(ours).names
                withClue("of ${jars.map { it.name }.sorted()}") {
                    published.flatMap { classPath.missing(classPath.bytes(it)) }.distinct().shouldBeEmpty()
                    published.flatMap { classPath.unimplemented(it) }.shouldBeEmpty()
                }
            }

            test("a call that only coroutines 1.11 have is noticed, seen with the $age dependencies") {
                val expected = listOf("kotlinx.coroutines.Job.cancel\$default$CANCEL_DEFAULT").filter { age == "oldest" }
                ClassPath(jars).missing(callOfCancel()) - "Sample" shouldContainExactly expected
            }
        }
    })

/** What [file] names and linking would not find. */
private fun ClassPath.missing(file: ByteArray): List<String> {
    val (types, symbols) = named(file)
    val absent = types.filter { declared(it) == null }
    val members = symbols.filterNot { it.owner in absent || it.owner.startsWith("java/lang/invoke/") }
    return absent.map { it.replace('/', '.') } +
        members.filter { symbol -> lineage(symbol.owner).none { symbol.name to symbol.descriptor in it.members } }.map { "$it" }
}

/** The abstract methods that the class [name] should have implemented. */
private fun ClassPath.unimplemented(name: String): List<String> {
    if (declared(name)!!.isAbstract) return emptyList()
    val lineage = lineage(name).toList()
    return lineage.flatMap { type -> type.members.filterValues { it }.keys.map { type to it } }
        .filter { (_, method) -> lineage.none { it.members[method] == false } }
        .map { (type, method) -> "$name lacks ${type.name}.${method.first}${method.second}" }
}

private const val CANCEL_DEFAULT = "(Lkotlinx/coroutines/Job;Ljava/util/concurrent/CancellationException;ILjava/lang/Object;)V"

/** A class as the compiler writes it for `job.cancel()` with coroutines 1.11 on its class path. */
private fun callOfCancel(): ByteArray {
    val writer = ClassWriter(ClassWriter.COMPUTE_MAXS)
    writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, "Sample", null, "java/lang/Object", null)
    val method = writer.visitMethod(Opcodes.ACC_PUBLIC or Opcodes.ACC_STATIC, "cancel", "(Lkotlinx/coroutines/Job;)V", null, null)
    method.visitCode()
    method.visitVarInsn(Opcodes.ALOAD, 0)
    method.visitInsn(Opcodes.ACONST_NULL)
    method.visitInsn(Opcodes.ICONST_1)
    method.visitInsn(Opcodes.ACONST_NULL)
    method.visitMethodInsn(Opcodes.INVOKESTATIC, "kotlinx/coroutines/Job", "cancel\$default", CANCEL_DEFAULT, true)
    method.visitInsn(Opcodes.RETURN)
    method.visitMaxs(0, 0)
    method.visitEnd()
    writer.visitEnd()
    return writer.toByteArray()
}
