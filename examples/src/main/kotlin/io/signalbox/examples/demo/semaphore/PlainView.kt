package io.signalbox.examples.demo.semaphore

import io.signalbox.examples.demo.DemoFailure
import java.io.PrintStream

/** One line for each thing that happens, for pipes and files. */
internal class PlainView(private val out: PrintStream, private val plan: Plan) : View {
    private val holdersWidth = maxOf("holders".length, plan.permits * 3)
    private val waitingWidth = maxOf("waiting".length, plan.processes * 2)

    override fun open(redis: String) {
        line("${introduction(plan)}, for ${plan.length.inSeconds(0)}, Redis at $redis")
        line("")
        line(row("time", "holders", "waiting", "what happens"))
    }

    override fun tell(happening: Happening, scene: Scene) {
        val journal = scene.journal
        // Nobody alive has the permit of the killed worker, but the server still counts it.
        val holders = listOfNotNull(journal.ghost?.let { "($it)" }) + journal.holding
        val time = scene.sinceStart(happening.at).inSeconds()
        line(row(time, holders.joinToString(" "), journal.queued.joinToString(" "), happening.text))
    }

    override fun show(scene: Scene) = Unit

    override fun conclude(findings: List<Finding>, verdict: String) {
        line("")
        for (finding in findings) {
            val (mark, promise, facts) = finding.columns()
            line("$mark  $promise  $facts")
        }
        line(verdict)
    }

    private fun row(time: String, holders: String, waiting: String, text: String) =
        "${time.padStart(8)}  ${holders.ifEmpty { "-" }.padEnd(holdersWidth)}  ${waiting.ifEmpty { "-" }.padEnd(waitingWidth)}  $text"

    private fun line(text: String) {
        out.println(text)
        if (out.checkError()) throw DemoFailure("nobody reads the output any more")
    }
}
