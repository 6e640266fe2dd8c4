package io.shadowkv.cli.demo;

import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.ColourKey;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Plot;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.plot.HeatStrip;
import io.shadowkv.report.plot.LinePlot;
import io.shadowkv.report.plot.Quantity;
import io.shadowkv.report.plot.StackedBars;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// The sections of the report with plots: memory, speed, and fetched chunks.
final class DemoFigures {
    private static final double MEBI = 1 << 20;

    private DemoFigures() {}

    static Section memory(DemoResult result) {
        var bars = new StackedBars(
                "memory",
                "Bytes of keys and values by part",
                "keys, values and index of the sequence, MiB",
                DemoFigures::mebibytes,
                List.of(
                        new StackedBars.Bar("full, planned", planned(result.full(), 0)),
                        new StackedBars.Bar("full, measured", measured(result.full())),
                        new StackedBars.Bar("ShadowKV, planned", planned(result.shadow(), 1)),
                        new StackedBars.Bar("ShadowKV, measured", measured(result.shadow()))));
        return new Section(
                "memory",
                "Memory",
                List.of(
                        new Prose("Memory of one sequence. Striped parts are in host memory and are fetched when they"
                                + " are needed; the others are in device memory. On a CPU both are the same memory,"
                                + " and ShadowKV reads less of it per token."),
                        new Plot(bars, ""),
                        memoryTable(result)));
    }

    private static Block memoryTable(DemoResult result) {
        List<Row> rows = new ArrayList<>();
        for (MemoryPlan.Item part : result.full().planned().parts()) {
            rows.add(memoryRow(part.name() + ", planned", part.isOffloaded(), bytes(part.bytes()), "–"));
        }
        for (MemoryPlan.Item part : result.shadow().planned().parts()) {
            rows.add(memoryRow(part.name() + ", planned", part.isOffloaded(), "–", bytes(part.bytes())));
        }
        for (boolean isOffloaded : new boolean[] {false, true}) {
            rows.add(totals(
                    "Total, planned",
                    isOffloaded,
                    result.full().planned(),
                    result.shadow().planned()));
            rows.add(totals(
                    "Total, measured",
                    isOffloaded,
                    result.full().measured(),
                    result.shadow().measured()));
        }
        return new Table(
                "Memory in numbers",
                List.of(
                        Column.text("Part"),
                        Column.text("Place"),
                        Column.number("Full attention"),
                        Column.number("ShadowKV")),
                rows,
                "",
                true);
    }

    private static Row totals(
            String name, boolean isOffloaded, MemoryPlan.SequenceBytes full, MemoryPlan.SequenceBytes shadow) {
        return memoryRow(name, isOffloaded, bytes(sum(full, isOffloaded)), bytes(sum(shadow, isOffloaded)));
    }

    private static long sum(MemoryPlan.SequenceBytes bytes, boolean isOffloaded) {
        return isOffloaded ? bytes.offloaded() : bytes.resident();
    }

    private static Row memoryRow(String name, boolean isOffloaded, String full, String shadow) {
        return Row.of(
                new Cell(name), new Cell(isOffloaded ? "offloaded" : "resident"), new Cell(full), new Cell(shadow));
    }

    private static String bytes(long bytes) {
        return Quantity.whole(bytes) + " B";
    }

    /// @param firstColour index in the palette, whose last two colours are for measured parts
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

    /// Formats round values as whole numbers, and others with three digits.
    private static String mebibytes(double value) {
        return value == Math.rint(value) ? Quantity.whole(value) : Quantity.threeDigits(value);
    }

    static Section speed(DemoResult result) {
        var plot = new LinePlot(
                "speed",
                "Decode speed by context length",
                "context length, tokens",
                "decode speed, tokens/s",
                tokens -> Quantity.tokens((int) tokens),
                List.of(
                        new LinePlot.Series("ShadowKV", "shadow", points(result, DemoResult.Speed::shadow)),
                        new LinePlot.Series("full attention", "full", points(result, DemoResult.Speed::full))));
        List<Row> rows = result.speeds().stream()
                .map(speed -> Row.of(
                        new Cell(Quantity.whole(speed.tokens())),
                        new Cell(Quantity.threeDigits(speed.full())),
                        new Cell(Quantity.threeDigits(speed.shadow())),
                        new Cell(Quantity.times(speed.shadow() / speed.full()))))
                .toList();
        var table = new Table(
                "Decode speed in numbers",
                List.of(
                        Column.number("Context, tokens"),
                        Column.number("Full attention, tokens/s"),
                        Column.number("ShadowKV, tokens/s"),
                        Column.number("Ratio")),
                rows,
                "",
                true);
        return new Section(
                "speed",
                "Decode speed",
                List.of(
                        new Prose("Full attention reads every key and value for each new token. ShadowKV reads the"
                                + " index and the " + units(result) + " it selects, whose number is the same at every"
                                + " length. One sequence; median step of " + MethodRun.PROBE_TOKENS + " tokens."),
                        new Plot(plot, ""),
                        table));
    }

    private static List<LinePlot.Point> points(DemoResult result, ToDoubleFunction<DemoResult.Speed> speed) {
        return result.speeds().stream()
                .map(entry -> new LinePlot.Point(entry.tokens(), speed.applyAsDouble(entry)))
                .toList();
    }

    /// What is selected, in words.
    static String units(DemoResult result) {
        return result.setup().shadow().unitTokens() == 1 ? "tokens" : "chunks";
    }

    static Section fetches(DemoResult result) {
        FetchMap map = result.fetches();
        List<Block> blocks = new ArrayList<>();
        if (map.steps() == 0) {
            blocks.add(new Prose("None: the text fits the resident set, so ShadowKV kept all of it."));
        } else {
            blocks.add(new Prose("Each column is a decode step, each row " + Math.round(map.chunksPerRow())
                    + " neighbouring " + units(result)
                    + " of the text, from the beginning at the top. The orange arrow marks the"
                    + " sentence with the answer."));
            blocks.add(new ColourKey(List.of(
                    new ColourKey.Meaning("l1", "selected and already resident"),
                    new ColourKey.Meaning(
                            "l2",
                            "fetched: up to " + Quantity.share(FetchRecorder.FEW) + " of the row's " + units(result)
                                    + " and heads"),
                    new ColourKey.Meaning("l3", "up to " + Quantity.share(FetchRecorder.SOME)),
                    new ColourKey.Meaning("l4", "more"))));
            for (int layer = 0; layer < map.levels().length; layer++) {
                blocks.add(new Plot(strip(result, layer), ""));
            }
        }
        return new Section("fetches", "What each layer fetched", blocks);
    }

    private static HeatStrip strip(DemoResult result, int layer) {
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
                layer == map.levels().length - 1 ? "decode step" : "",
                "start",
                "end");
    }
}
