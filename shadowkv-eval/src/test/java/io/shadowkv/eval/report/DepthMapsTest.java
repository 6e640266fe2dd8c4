package io.shadowkv.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.report.section.DepthMaps;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.report.page.HtmlPage;
import io.shadowkv.report.page.Page;
import io.shadowkv.report.page.Page.Picture;
import io.shadowkv.report.plot.HeatMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Tests which tasks have a map, and the contents of its cells.
final class DepthMapsTest {
    private static final String TASK = "ruler/niah_single_1";

    private final List<AnswerRecord> answers = new ArrayList<>();

    private void answer(String task, int context, int depth, Method method, double score, int references) {
        answers.add(new AnswerRecord(
                new AnswerRecord.Key("m", "cpu", "f32", task, context, 1, answers.size(), 0, method),
                "answer",
                List.of(1),
                List.of("right", "too", "and", "so").subList(0, references),
                Map.of("own", score),
                depth < 0 ? Map.of() : Map.of("depth", Integer.toString(depth)),
                "hash",
                100,
                2,
                1,
                4,
                8,
                2,
                null,
                1000,
                0,
                "stop",
                null,
                null,
                null));
    }

    private void everyTenth(String task, int context, Method method, double score) {
        for (int depth = 0; depth <= 100; depth += 10) {
            answer(task, context, depth, method, score, 1);
        }
    }

    private List<Picture> pictures() {
        return DepthMaps.of(Grid.of(answers, List.of(), Setting::ofAnyLength));
    }

    private HeatMap map() {
        assertThat(pictures()).hasSize(1);
        return (HeatMap) pictures().getFirst().figure();
    }

    @Test
    void aCellIsTheMeanOfItsTenthAndLength() {
        everyTenth(TASK, 8192, Method.FULL, 1);
        everyTenth(TASK, 2048, Method.FULL, 0);
        answer(TASK, 8192, 19, Method.FULL, 0, 1);
        answer(TASK, 4096, 9, Method.FULL, 0.25, 1);
        HeatMap map = map();
        assertThat(map.id()).isEqualTo("ruler-niah-single-1-depth");
        assertThat(map.columns()).containsExactly("2K", "4K", "8K");
        assertThat(map.rows()).hasSize(10).startsWith("0–10 %", "10–20 %").endsWith("90–100 %");
        assertThat(map.panels()).hasSize(1);
        HeatMap.Panel panel = map.panels().getFirst();
        assertThat(panel.name()).isEqualTo("full attention");
        assertThat(panel.shares()[0]).containsExactly(0, 0.25, 1);
        assertThat(panel.shares()[1]).containsExactly(0, Double.NaN, 0.5);
        assertThat(panel.samples()[1]).containsExactly(1, 0, 2);
        assertThat(panel.samples()[9]).as("90 and 100 %").containsExactly(2, 0, 2);
    }

    @Test
    void budgetsThatGrowWithTheLengthShareAPanel() {
        for (int context : List.of(8192, 16384)) {
            everyTenth(TASK, context, Method.FULL, 1);
            everyTenth(TASK, context, SyntheticRun.shadow(context / 64, 160), 1);
            everyTenth(TASK, context, SyntheticRun.shadow(context / 32, 160), 1);
        }
        assertThat(map().panels().stream().map(HeatMap.Panel::name))
                .containsExactly("full attention", "shadowkv budget 1.56 %", "shadowkv budget 3.13 %");
        assertThat(map().panels()).allSatisfy(panel -> assertThat(panel.known()).hasSize(20));
    }

    @Test
    void budgetsThatStayTheSameDoToo() {
        for (int context : List.of(8192, 16384)) {
            everyTenth(TASK, context, SyntheticRun.shadow(256, 160), 1);
        }
        assertThat(map().panels().stream().map(HeatMap.Panel::name)).containsExactly("shadowkv budget 256");
    }

    @Test
    void thePanelsOfMostCellsAreChosen() {
        for (int budget = 1; budget <= 8; budget++) {
            everyTenth(TASK, 8192, SyntheticRun.shadow(64 * budget, 160), 1);
        }
        answers.removeIf(answer -> answer.key().method().equals(SyntheticRun.shadow(64, 160))
                && answer.labels().containsValue("50"));
        assertThat(pictures().getFirst().caption()).endsWith(" Of 8 methods, 6 with the most cells are shown.");
        assertThat(map().panels())
                .hasSize(6)
                .first()
                .extracting(HeatMap.Panel::name)
                .isEqualTo("shadowkv budget 128");
    }

    @Test
    void onlyOneNeedleThatSaysWhereItStandsIsMapped() {
        everyTenth("ruler/niah_multivalue", 8192, Method.FULL, 1);
        answer("ruler/niah_multivalue", 8192, 50, Method.FULL, 1, 4);
        everyTenth("ruler/qa_1", 8192, Method.FULL, 1);
        answer("ruler/qa_1", 8192, -1, Method.FULL, 1, 1);
        everyTenth("ruler/of_files", 0, Method.FULL, 1);
        for (int depth = 0; depth < 70; depth++) {
            answer("ruler/niah_single_2", 8192, depth, Method.FULL, 1, 1);
        }
        assertThat(pictures()).isEmpty();
        answer("ruler/niah_single_2", 8192, 70, Method.FULL, 1, 1);
        assertThat(map().id()).isEqualTo("ruler-niah-single-2-depth");
    }

    @Test
    void mapsWithoutAMissAreFoldedWhereThereAreMany() {
        everyTenth(TASK, 8192, Method.FULL, 1);
        everyTenth("ruler/niah_single_2", 8192, Method.FULL, 0.5);
        assertThat(pictures()).noneMatch(Picture::isFolded);
        everyTenth("ruler/niah_single_3", 8192, Method.FULL, 1);
        assertThat(pictures().stream().map(Picture::isFolded)).containsExactly(true, false, true);
        assertThat(HtmlPage.of(
                        new Page(
                                "",
                                "",
                                List.of(),
                                List.of(),
                                List.of(new Page.Section("s", "s", List.copyOf(pictures())))),
                        true))
                .contains("<summary>niah_single_1: 10 cells of 1 to 2 samples, mean 100 %");
    }

    @Test
    void modelsHaveSeparateMaps() {
        everyTenth(TASK, 8192, Method.FULL, 1);
        List<AnswerRecord> first = List.copyOf(answers);
        first.forEach(answer -> answers.add(otherBackend(answer)));
        assertThat(pictures().stream().map(picture -> picture.figure().id()))
                .containsExactly("ruler-niah-single-1-depth-m-cpu-f32", "ruler-niah-single-1-depth-m-cuda-f32");
    }

    private static AnswerRecord otherBackend(AnswerRecord of) {
        AnswerRecord.Key key = of.key();
        return new AnswerRecord(
                new AnswerRecord.Key(
                        "m", "cuda", "f32", key.task(), key.contextTokens(), 1, key.index(), 0, key.method()),
                of.answer(),
                of.answerIds(),
                of.references(),
                of.scores(),
                of.labels(),
                of.promptHash(),
                100,
                2,
                1,
                4,
                8,
                2,
                null,
                1000,
                0,
                "stop",
                null,
                null,
                null);
    }
}
