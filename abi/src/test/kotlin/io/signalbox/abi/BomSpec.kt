package io.signalbox.abi

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.maps.shouldContainAll
import io.kotest.matchers.shouldBe
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.w3c.dom.Element

private val root = File(System.getProperty("user.dir")).canonicalFile.parentFile

/** The two poms that users import have no parent, and so repeat what the parent says. */
class BomSpec :
    FunSpec({
        val parent = pom("pom.xml")

        test("signalbox-dependencies has the versions that tests run on") {
            val newest = parent.texts("properties").filterKeys { it.startsWith("newest.") }.mapKeys { it.key.removePrefix("newest.") }
            newest shouldContainAll pom("dependencies/pom.xml").texts("properties")
        }

        listOf("bom", "dependencies").forEach { module ->
            test("$module has the version of the project") {
                pom("$module/pom.xml").text("version") shouldBe parent.text("version")
            }
        }

        test("signalbox-bom lists every published module") {
            val listed = pom("bom/pom.xml").getElementsByTagName("dependency").elements().associate {
                it.text("artifactId") to
                    it.text("version")
            }
            listed shouldBe publishedModules.associate { pom("$it/pom.xml").text("artifactId") to parent.text("version") }
        }
    })

private fun pom(path: String): Element = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(root.resolve(path)).documentElement

private fun org.w3c.dom.NodeList.elements() = (0 until length).map(::item).filterIsInstance<Element>()

private fun Element.child(name: String) = childNodes.elements().first { it.tagName == name }

private fun Element.text(name: String): String = child(name).textContent

private fun Element.texts(name: String): Map<String, String> = child(name).childNodes.elements().associate { it.tagName to it.textContent }
