package io.shadowkv.cli.demo;

import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.report.plot.HeatStrip;
import io.shadowkv.report.plot.LinePlot;
import io.shadowkv.report.plot.Quantity;
import io.shadowkv.report.plot.StackedBars;
import io.shadowkv.report.plot.Svg;
import java.util.ArrayList;
import java.util.List;

/// The report's sections with plots: memory, speed, and what was fetched.
final class DemoFigures {
    private static final double MEBI = 1 << 20;

    private DemoFigures() {}

    static String memory(DemoResult result) {
        var bars = new StackedBars(
                "memory",
                "Bytes of keys and values by part",
                "keys, values and index of the sequence, MiB",
                DemoFigures::mebibytes,
                List.of(
                        bar("full, planned", planned(result.full(), 0)),
                        bar("full, measured", measured(result.full())),
                        bar("ShadowKV, planned", planned(result.shadow(), 1)),
                        bar("ShadowKV, measured", measured(result.shadow()))));
        StringBuilder out = new StringBuilder(
                        "<section>\n<h2>Memory</h2>\n<p class=\"note\">What one sequence needs. Striped parts")
                .append(" lie in host memory and are fetched from; the others stay in device memory. On a CPU both"
                        + " are the same")
                .append(" memory, and what ShadowKV saves is reading.</p>\n<figure>")
                .append(bars.render())
                .append("</figure>\n<details><summary>The numbers</summary><div class=\"scroll\"><table>\n<thead><tr>")
                .append("<th scope=\"col\">Part</th><th scope=\"col\">Where</th><th scope=\"col\" class=\"n\">Full"
                        + " attention</th>")
                .append("<th scope=\"col\" class=\"n\">ShadowKV</th></tr></thead>\n<tbody>\n");
        for (MemoryPlan.Item part : result.full().planned().parts()) {
            partRow(out, part, Quantity.whole(part.bytes()), "–");
        }
        for (MemoryPlan.Item part : result.shadow().planned().parts()) {
            partRow(out, part, "–", Quantity.whole(part.bytes()));
        }
        totals(out, "resident", result, false);
        totals(out, "offloaded", result, true);
        return out.append("</tbody></table></div></details>\n</section>\n").toString();
    }

    private static void partRow(StringBuilder out, MemoryPlan.Item part, String full, String shadow) {
        row(
                out,
                part.name() + ", planned",
                part.isOffloaded() ? "offloaded" : "resident",
                full + (full.equals("–") ? "" : " B"),
                shadow + (shadow.equals("–") ? "" : " B"));
    }

    private static void totals(StringBuilder out, String where, DemoResult result, boolean isOffloaded) {
        MemoryPlan.SequenceBytes full = result.full().planned();
        MemoryPlan.SequenceBytes shadow = result.shadow().planned();
        row(out, "Total, planned", where, total(full, isOffloaded), total(shadow, isOffloaded));
        row(
                out,
                "Total, measured",
                where,
                total(result.full().measured(), isOffloaded),
                total(result.shadow().measured(), isOffloaded));
    }

    private static String total(MemoryPlan.SequenceBytes bytes, boolean isOffloaded) {
        return Quantity.whole(isOffloaded ? bytes.offloaded() : bytes.resident()) + " B";
    }

    private static void row(StringBuilder out, String name, String where, String full, String shadow) {
        out.append("<tr><th scope=\"row\">")
                .append(Svg.escape(name))
                .append("</th><td>")
                .append(where)
                .append("</td><td class=\"n\">")
                .append(full)
                .append("</td><td class=\"n\">")
                .append(shadow)
                .append("</td></tr>\n");
    }

    private static StackedBars.Bar bar(String label, List<StackedBars.Part> parts) {
        return new StackedBars.Bar(label, parts);
    }

    /// @param firstColour of the palette, whose last two are kept for what is measured
    private static List<StackedBars.Part> planned(DemoResult.Outcome outcome, int firstColour) {
        List<StackedBars.Part> parts = new ArrayList<>();
        for (MemoryPlan.Item part : outcome.planned().parts()) {
            String colour = "p" + (firstColour + parts.size()) % 6;
            String name = part.name() + (part.isOffloaded() ? ", offloaded" : "");
            parts.add(new StackedBars.Part(name, part.bytes() / MEBI, colour, part.isOffloaded()));
        }
        return parts;
    }

    private static List<StackedBars.Part> measured(DemoResult.Outcome outcome) {
        List<StackedBars.Part> parts = new ArrayList<>();
        parts.add(new StackedBars.Part("measured, resident", outcome.measured().resident() / MEBI, "p6", false));
        if (outcome.measured().offloaded() > 0) {
            parts.add(new StackedBars.Part(
                    "measured, offloaded", outcome.measured().offloaded() / MEBI, "p6", true));
        }
        return parts;
    }

    static String speed(DemoResult result) {
        List<LinePlot.Point> full = result.speeds().stream()
                .map(s -> new LinePlot.Point(s.tokens(), s.full()))
                .toList();
        List<LinePlot.Point> shadow = result.speeds().stream()
                .map(s -> new LinePlot.Point(s.tokens(), s.shadow()))
                .toList();
        var plot = new LinePlot(
                "speed",
                "Decode speed against context length",
                "context length, tokens",
                "decode speed, tokens/s",
                tokens -> Quantity.tokens((int) tokens),
                List.of(
                        new LinePlot.Series("ShadowKV", "shadow", shadow),
                        new LinePlot.Series("full attention", "full", full)));
        StringBuilder out = new StringBuilder(
                        "<section>\n<h2>Decode speed</h2>\n<p class=\"note\">Full attention reads every key and")
                .append(" value for each new token; ShadowKV reads a landmark a chunk, and the chunks it selects, as"
                        + " many at every length. One sequence, the median step of ")
                .append(MethodRun.PROBE_TOKENS)
                .append(" tokens.</p>\n<figure>")
                .append(plot.render())
                .append("</figure>\n<details><summary>The numbers</summary><div class=\"scroll\"><table>\n<thead><tr>")
                .append("<th scope=\"col\" class=\"n\">Context, tokens</th><th scope=\"col\" class=\"n\">Full"
                        + " attention, tokens/s</th>")
                .append("<th scope=\"col\" class=\"n\">ShadowKV, tokens/s</th><th scope=\"col\""
                        + " class=\"n\">Ratio</th></tr></thead>\n"
                        + "<tbody>\n");
        for (DemoResult.Speed speed : result.speeds()) {
            out.append("<tr><td class=\"n\">")
                    .append(Quantity.whole(speed.tokens()))
                    .append("</td><td class=\"n\">")
                    .append(Quantity.threeDigits(speed.full()))
                    .append("</td><td class=\"n\">")
                    .append(Quantity.threeDigits(speed.shadow()))
                    .append("</td><td class=\"n\">")
                    .append(Quantity.times(speed.shadow() / speed.full()))
                    .append("</td></tr>\n");
        }
        return out.append("</tbody></table></div></details>\n</section>\n").toString();
    }

    static String fetches(DemoResult result) {
        FetchMap map = result.fetches();
        if (map.steps() == 0) {
            return "<section>\n"
                    + "<h2>What each layer fetched</h2>\n"
                    + "<p class=\"note\">Nothing: the text fits the budget, so ShadowKV kept all of it.</p>\n"
                    + "</section>\n";
        }
        StringBuilder out = new StringBuilder(
                        "<section>\n<h2>What each layer fetched</h2>\n<p class=\"note\">Every column is a decode")
                .append(" step, every row ")
                .append(Math.round(map.chunksPerRow()))
                .append(" neighbouring chunks of the text, the beginning at the top. The orange arrow points at the"
                        + " sentence that answers")
                .append(" the question.</p>\n<ul class=\"key\">")
                .append(key("l1", "selected and resident already"))
                .append(key(
                        "l2", "fetched: up to " + Quantity.share(FetchRecorder.FEW) + " of the row's chunks and heads"))
                .append(key("l3", "up to " + Quantity.share(FetchRecorder.SOME)))
                .append(key("l4", "more"))
                .append("</ul>\n");
        for (int layer = 0; layer < map.levels().length; layer++) {
            boolean isLast = layer == map.levels().length - 1;
            out.append("<figure>").append(strip(result, layer, isLast).render()).append("</figure>\n");
        }
        return out.append("</section>\n").toString();
    }

    /// Round ticks as whole numbers, amounts with three digits.
    private static String mebibytes(double value) {
        return value == Math.rint(value) ? Quantity.whole(value) : Quantity.threeDigits(value);
    }

    private static String key(String colour, String meaning) {
        return "<li><i style=\"background:var(--" + colour + ")\"></i>" + meaning + "</li>";
    }

    private static HeatStrip strip(DemoResult result, int layer, boolean isLast) {
        FetchMap map = result.fetches();
        List<HeatStrip.Span> spans = new ArrayList<>();
        for (int i = 0; i < map.turns().size(); i++) {
            FetchMap.Turn turn = map.turns().get(i);
            double mark = (double) result.questions().get(i).position()
                    / result.setup().textTokens();
            spans.add(new HeatStrip.Span("question " + (i + 1), turn.from(), turn.until(), mark));
        }
        return new HeatStrip(
                "fetched-" + layer,
                "layer " + layer,
                "Chunks that layer " + layer + " selected and fetched at each of " + map.steps() + " decode steps",
                map.levels()[layer],
                spans,
                isLast ? "decode step" : "",
                "start",
                "end");
    }
}
