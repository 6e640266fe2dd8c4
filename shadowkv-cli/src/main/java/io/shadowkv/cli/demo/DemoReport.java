package io.shadowkv.cli.demo;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.report.page.HtmlPage;
import io.shadowkv.report.page.Page;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Card;
import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Column;
import io.shadowkv.report.page.Page.Facts;
import io.shadowkv.report.page.Page.Row;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.page.Page.Table;
import io.shadowkv.report.page.Page.Tone;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The results as a self-contained HTML page.
final class DemoReport {
    private DemoReport() {}

    static String html(DemoResult result) {
        return HtmlPage.of(page(result), false);
    }

    /// The page before it is HTML.
    static Page page(DemoResult result) {
        return new Page(
                "The same questions with full attention and with ShadowKV",
                lead(result),
                cards(result),
                List.of(),
                List.of(
                        answers(result),
                        DemoFigures.memory(result),
                        DemoFigures.speed(result),
                        DemoFigures.fetches(result),
                        settings(result)));
    }

    private static String lead(DemoResult result) {
        int asked = result.questions().size();
        return result.setup().model() + " read a text of "
                + Quantity.whole(result.setup().textTokens())
                + " tokens with each method and answered "
                + (asked == 1 ? "a question" : asked + " questions")
                + " about it. Both methods ran on the same machine.";
    }

    private static List<Card> cards(DemoResult result) {
        DemoResult.Outcome full = result.full();
        DemoResult.Outcome shadow = result.shadow();
        int asked = result.questions().size();
        return List.of(
                new Card(
                        "Correct answers",
                        shadow.right() + " of " + asked,
                        "full attention: " + full.right() + " of " + asked),
                new Card(
                        "Decode speed",
                        Quantity.times(result.speedup()),
                        Quantity.threeDigits(full.speed()) + " → " + Quantity.threeDigits(shadow.speed())
                                + " tokens/s"),
                new Card(
                        "Resident KV cache",
                        Quantity.times(result.residentFactor()) + " smaller",
                        Quantity.bytes(full.measured().resident()) + " → "
                                + Quantity.bytes(shadow.measured().resident())),
                new Card(
                        "Hit rate",
                        Quantity.share(shadow.hitRate()),
                        "of the selected " + DemoFigures.units(result) + " were resident"));
    }

    private static Section answers(DemoResult result) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < result.questions().size(); i++) {
            DemoResult.Question question = result.questions().get(i);
            rows.add(Row.of(
                    new Cell(Integer.toString(i + 1)),
                    new Cell(question.text(), "", Tone.QUOTE),
                    new Cell(Quantity.whole(question.position())),
                    new Cell(question.expected()),
                    answer(result.full().answers().get(i)),
                    answer(result.shadow().answers().get(i))));
        }
        List<Column> columns = List.of(
                Column.text("No."),
                Column.text("Question"),
                Column.number("At token"),
                Column.text("Expected"),
                Column.text("Full attention"),
                Column.text("ShadowKV"));
        Block table = new Table("An answer is correct if it contains the hidden number.", columns, rows, "");
        return new Section("answers", "Answers", List.of(table));
    }

    private static Cell answer(DemoResult.Answer answer) {
        return answer.isRight()
                ? new Cell(answer.text(), "✓ correct", Tone.GOOD)
                : new Cell(answer.text(), "✗ wrong", Tone.BAD);
    }

    private static Section settings(DemoResult result) {
        DemoResult.Setup setup = result.setup();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "Model",
                setup.model() + ", " + Quantity.bytes(setup.weightBytes()) + " of weights; keys and values "
                        + setup.kvType());
        facts.put(
                "Text",
                "King James Bible from its beginning, with needles as in RULER's niah_multikey_1, seed " + setup.seed()
                        + "; at most " + Quantity.whole(setup.tokens()) + " tokens in total");
        facts.put(
                "ShadowKV",
                "rank " + setup.shadow().rank() + ", " + index(setup.shadow().index()) + ", budget "
                        + Quantity.whole(setup.shadow().sparseBudget()) + " tokens, "
                        + (setup.shadow().budget().firstLayers().isEmpty()
                                ? ""
                                : "in the first layers "
                                        + setup.shadow().budget().firstLayers() + ", ")
                        + setup.shadow().residency().localTokens() + " local and up to "
                        + setup.shadow().residency().generatedTokens() + " generated tokens");
        facts.put(
                "Reading the text",
                (setup.prefill().equals("exact") ? "" : "with --prefill " + setup.prefill() + ": ")
                        + "full attention " + Quantity.seconds(result.full().prefillSeconds()) + "; ShadowKV "
                        + Quantity.seconds(result.shadow().prefillSeconds()) + ", of which "
                        + Quantity.seconds(result.shadow().sealSeconds())
                        + " to factorise keys and offload values");
        facts.put("Backend", setup.backend() + ": " + setup.backendReason());
        facts.put(
                "Machine",
                result.machine().processor() + ", " + result.machine().cores() + " cores, "
                        + result.machine().system());
        facts.put("Java", result.machine().java());
        facts.put("Commit", result.machine().commitText());
        facts.put("Time of the whole demo", Quantity.seconds(result.wallSeconds()));
        return new Section("settings", "Settings and machine", List.of(new Facts(facts)));
    }

    private static String index(IndexSpec index) {
        return switch (index) {
            case IndexSpec.Landmarks landmarks ->
                "landmarks of chunks of " + landmarks.chunkSize() + " tokens, " + landmarks.outlierChunks()
                        + " outlier chunks";
            case IndexSpec.TokenCodes _ -> "codes of single tokens";
        };
    }
}
