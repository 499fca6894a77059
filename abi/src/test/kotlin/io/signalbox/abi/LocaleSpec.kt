package io.signalbox.abi

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import java.io.File

private val root = File(System.getProperty("user.dir")).canonicalFile.parentFile

/** What depends on where a program runs, by what is wrong with it. Kotlin's `lowercase()`, `toByteArray()` and `readText()` do not. */
private val FORBIDDEN =
    mapOf(
        "formats by the machine's locale" to Regex("""\.format\((?!\s*Locale\.ROOT\b)|\.formatted\(|\bprintf\((?!\s*Locale\.ROOT\b)"""),
        "asks for the machine's locale" to Regex("""\bLocale\.getDefault\b|\.to(Lower|Upper)Case\(\)"""),
        "asks for the machine's charset" to
            Regex("""\bdefaultCharset\b|\.getBytes\(\)|\bnew String\(\w+\)|\bnew (InputStreamReader|FileReader|FileWriter)\("""),
        "asks for the machine's time zone" to
            Regex("""\bsystemDefault\b|\bTimeZone\.getDefault\b|\b(Local\w+|Zoned\w+|Offset\w+)\.now\(\)"""),
    )

private fun problems(text: String): List<String> =
    FORBIDDEN.flatMap { (problem, code) ->
        code.findAll(text).map { "${text.take(it.range.first).count { c -> c == '\n' } + 1} $problem: ${it.value}" }
    }

/** Programs do the same in every locale, charset and time zone: in Turkish the capital of i is another letter, in German 1.5 is 1,5. */
class LocaleSpec :
    FunSpec({
        test("no source of any module depends on where it runs") {
            val modules = root.listFiles().orEmpty().map { it.resolve("src/main") }.filter { it.isDirectory }
            val sources = modules.flatMap { it.walk() }.filter { it.extension == "kt" || it.extension == "java" }
            sources.shouldNotBeEmpty()
            sources.flatMap { file -> problems(file.readText()).map { "${file.relativeTo(root)}:$it" } }.shouldBeEmpty()
        }

        test("what does is noticed") {
            val bad =
                listOf(
                    "\"%.1f\".format(\n    value)", "String.format(\"%d\", 1)", "\"%d\".formatted(1)", "System.out.printf(\"%d\", 1)",
                    "lowercase(Locale.getDefault())", "text.toLowerCase()", "toByteArray(Charset.defaultCharset())", "text.getBytes()",
                    "new String(bytes)", "new FileReader(file)", "ZoneId.systemDefault()", "LocalDate.now()",
                )
            bad.filter { problems(it).isEmpty() }.shouldBeEmpty()
            val good = "\"%.1f\".format(\n    Locale.ROOT, value)\ntext.lowercase()\nfun getBytes()\nnew String(bytes, UTF_8)"
            problems(good).shouldBeEmpty()
        }
    })
