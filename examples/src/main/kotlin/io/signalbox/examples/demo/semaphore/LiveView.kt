package io.signalbox.examples.demo.semaphore

import com.github.ajalt.mordant.animation.animation
import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.rendering.TextColors.yellow
import com.github.ajalt.mordant.rendering.TextStyles.bold
import com.github.ajalt.mordant.rendering.TextStyles.dim
import com.github.ajalt.mordant.rendering.Widget
import com.github.ajalt.mordant.table.Borders
import com.github.ajalt.mordant.table.ColumnWidth
import com.github.ajalt.mordant.table.table
import com.github.ajalt.mordant.table.verticalLayout
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.widgets.Padding
import io.signalbox.examples.demo.Interruption

/** A picture that is drawn anew several times a second, for terminals. */
internal class LiveView(private val terminal: Terminal, private val plan: Plan) : View {
    private val glyphs = Glyphs.ofTerminal()
    private val rows = WorkerRows(plan, glyphs)
    private val story = ArrayDeque<String>()
    private var redis = ""

    private val animation = terminal.animation<Scene>(::picture)

    override fun open(redis: String) {
        this.redis = redis
        terminal.cursor.hide(showOnExit = false) // On exit it would draw the picture once more.
        Interruption.restoreTerminal = {
            print(SHOW_CURSOR)
            System.out.flush()
        }
    }

    override fun tell(happening: Happening, scene: Scene) {
        val style = when (happening.weight) {
            Happening.Weight.ROUTINE -> null
            Happening.Weight.NOTABLE -> bold.style
            Happening.Weight.GOOD -> green + bold
            Happening.Weight.BAD -> red + bold
        }
        val time = scene.sinceStart(happening.at).inSeconds().padStart(TIME_WIDTH)
        story += "${dim(time)}  ${style?.invoke(happening.text) ?: happening.text}"
        while (story.size > STORY_LENGTH) story.removeFirst()
    }

    override fun show(scene: Scene) = animation.update(scene)

    override fun close() {
        if (Interruption.happened) return
        animation.stop()
        terminal.cursor.show()
    }

    override fun conclude(findings: List<Finding>, verdict: String) {
        terminal.println()
        for (finding in findings) {
            val (mark, promise, facts) = finding.columns()
            terminal.println("${if (finding.kept) green(mark) else red(mark)}  ${bold(promise)}  $facts")
        }
        terminal.println()
        terminal.println(if (findings.all { it.kept }) green(verdict) else red(verdict))
    }

    private fun picture(scene: Scene): Widget = verticalLayout {
        cell(bold(introduction(plan)))
        cell(clock(scene))
        cell("")
        cell(workers(scene))
        cell("")
        cell(summary(scene))
        cell("")
        repeat(STORY_LENGTH) { cell(story.getOrElse(it) { "" }) }
    }

    private fun clock(scene: Scene): String {
        if (scene.start == null) return dim("workers are starting")
        val elapsed = scene.sinceStart(System.nanoTime()).coerceAtMost(plan.length)
        val bar = glyphs.bar(elapsed / plan.length, CLOCK_WIDTH)
        return "$bar  ${elapsed.inSeconds()} of ${plan.length.inSeconds()}  ${dim("Redis at $redis")}"
    }

    private fun workers(scene: Scene): Widget = table {
        cellBorders = Borders.NONE
        padding = Padding(0)
        // Wide enough for the longest texts, so that the columns stay where they are.
        WorkerRows.WIDTHS.forEachIndexed { index, columnWidth -> column(index) { width = ColumnWidth.Fixed(columnWidth) } }
        header { row(*WorkerRows.TITLES.map { dim(it) }.toTypedArray()) }
        body {
            rows.of(scene).forEach { row(*it.toTypedArray()) }
        }
    }

    private fun summary(scene: Scene): String {
        val snapshot = scene.snapshot ?: return ""
        val held = snapshot.heldPermits
        val permits = green(glyphs.full.repeat(held)) + dim(glyphs.empty.repeat((plan.permits - held).coerceAtLeast(0)))
        val answers = scene.journal.answers
        val refused = answers.count { !it.accepted }
        return "permits  $permits  $held of ${plan.permits} held, ${yellow("${snapshot.queueLength} waiting")}" +
            "    register  ${answers.size - refused} writes, $refused refused"
    }

    companion object {
        /** Whether the picture has room; without, it would be drawn over itself. */
        fun fits(terminal: Terminal, plan: Plan): Boolean {
            val size = terminal.updateSize()
            return size.width >= WIDTH && size.height > plan.processes + 1 + LINES_AROUND_WORKERS
        }

        private const val WIDTH = 80
        private const val LINES_AROUND_WORKERS = 15
        private const val TIME_WIDTH = 8
        private const val STORY_LENGTH = 8
        private const val CLOCK_WIDTH = 24
        private const val SHOW_CURSOR = "\u001b[?25h"
    }
}
