package io.shadowkv.eval.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.report.section.LengthFigures;
import io.shadowkv.eval.report.section.PaperTables;
import io.shadowkv.eval.report.section.SummarySection;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.Records;
import io.shadowkv.eval.statistics.Answers;
import io.shadowkv.eval.statistics.Grid;
import io.shadowkv.eval.statistics.PairedComparison;
import io.shadowkv.eval.statistics.Setting;
import io.shadowkv.eval.statistics.Speed;
import io.shadowkv.report.page.Page;
import io.shadowkv.report.plot.CurvePlot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Tests which answers are grouped and which are paired.
final class GridTest {
    private static final Method SMALL = SyntheticRun.shadow(64, 160);
    private static final Method LARGE = SyntheticRun.shadow(1024, 160);

    private static AnswerRecord answer(
            String backend, String task, int context, int index, int turn, Method method, double score) {
        return answer(backend, task, context, index, turn, method, score, "hash" + index);
    }

    private static AnswerRecord answer(
            String backend,
            String task,
            int context,
            int index,
            int turn,
            Method method,
            double score,
            String promptHash) {
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("own", score);
        return new AnswerRecord(
                new AnswerRecord.Key("m", backend, "f32", task, context, 1, index, turn, method),
                "answer",
                List.of(index, (int) (10 * score)),
                List.of("right"),
                scores,
                Map.of(),
                promptHash,
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

    private static List<Grid> grids(AnswerRecord... answers) {
        return Grid.of(List.of(answers), List.of("ruler/b", "ruler/a"), Setting::of);
    }

    @Test
    void lengthsBackendsAndSuitesAreSeparate() {
        List<Grid> grids = grids(
                answer("cuda", "longbench/x", 0, 0, 0, Method.FULL, 1),
                answer("cuda", "ruler/a", 2048, 0, 0, Method.FULL, 1),
                answer("cpu", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                answer("cuda", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                answer("cuda", "ruler/c", 1024, 0, 0, LARGE, 1),
                answer("cuda", "ruler/b", 1024, 0, 0, SMALL, 1));
        assertThat(grids.stream()
                        .map(g -> g.suite() + " " + g.setting().contextTokens() + " "
                                + g.setting().backend()))
                .containsExactly("ruler 1024 cpu", "ruler 1024 cuda", "ruler 2048 cuda", "longbench 0 cuda");
        Grid grid = grids.get(1);
        assertThat(grid.tasks()).containsExactly("ruler/b", "ruler/a", "ruler/c");
        assertThat(grid.methods()).containsExactly(Method.FULL, SMALL, LARGE);
        assertThat(grid.commonTasks()).isEmpty();
    }

    @Test
    void pairsBySampleAndLeavesOthersOut() {
        Grid grid = grids(
                        answer("cpu", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 1, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 2, 0, Method.FULL, 0),
                        answer("cpu", "ruler/a", 1024, 3, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 0, 0, SMALL, 1),
                        answer("cpu", "ruler/a", 1024, 1, 0, SMALL, 0.5),
                        answer("cpu", "ruler/a", 1024, 2, 0, SMALL, 1),
                        answer("cpu", "ruler/a", 1024, 3, 0, SMALL, 0, "another prompt"),
                        answer("cpu", "ruler/a", 1024, 4, 0, SMALL, 0))
                .getFirst();
        PairedComparison pairs = grid.comparison("ruler/a", SMALL).orElseThrow();
        assertThat(pairs.difference().samples()).isEqualTo(3);
        assertThat(pairs.difference().value()).isCloseTo((0 - 0.5 + 1) / 3, within(1e-12));
        assertThat(pairs.better()).isEqualTo(1);
        assertThat(pairs.worse()).isEqualTo(1);
        assertThat(pairs.agreement()).isCloseTo(1 / 3.0, within(1e-12));
        assertThat(pairs.otherPrompts()).isEqualTo(1);
    }

    @Test
    void turnsOfOneTextAreOneSample() {
        Grid grid = grids(
                        answer("cpu", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 0, 1, Method.FULL, 1, "a"),
                        answer("cpu", "ruler/a", 1024, 1, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 0, 0, SMALL, 1),
                        // The second turn's prompt contains the method's own first answer.
                        answer("cpu", "ruler/a", 1024, 0, 1, SMALL, 0, "b"),
                        answer("cpu", "ruler/a", 1024, 1, 0, SMALL, 1))
                .getFirst();
        assertThat(grid.answers("ruler/a", SMALL).orElseThrow().mean(AnswerRecord::score))
                .satisfies(e -> {
                    assertThat(e.samples()).isEqualTo(2);
                    assertThat(e.value()).isEqualTo(0.75);
                });
        PairedComparison pairs = grid.comparison("ruler/a", SMALL).orElseThrow();
        assertThat(pairs.difference().samples()).isEqualTo(2);
        assertThat(pairs.difference().value()).isEqualTo(-0.25);
        assertThat(pairs.answers()).isEqualTo(3);
        assertThat(pairs.equalAnswers()).isEqualTo(2);
    }

    @Test
    void averagesWeighTasksNotSamples() {
        Grid grid = grids(
                        answer("cpu", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 1, 0, Method.FULL, 1),
                        answer("cpu", "ruler/a", 1024, 2, 0, Method.FULL, 1),
                        answer("cpu", "ruler/b", 1024, 0, 0, Method.FULL, 0))
                .getFirst();
        assertThat(SummarySection.average(grid, Method.FULL).value()).isEqualTo(0.5);
    }

    @Test
    void timesAreMediansAndSpeedCountsTheBatch() {
        Speed speed = Speed.of(List.of(
                answer("cpu", "ruler/a", 1024, 0, 0, Method.FULL, 1),
                answer("cpu", "ruler/a", 1024, 1, 0, Method.FULL, 1)));
        assertThat(speed.secondsPerToken()).isEqualTo(0.5);
        assertThat(speed.tokensPerSecond()).isEqualTo(4);
        assertThat(speed.firstTokenSeconds()).isEqualTo(2);
        assertThat(speed.hitRate()).isNaN();
    }

    @Test
    void thePaperHasARowForItsModelsAndLengthsOnly() {
        PaperTables paper = PaperTables.load();
        assertThat(paper.accuracy(grid("Llama-3-8B-Instruct-Gradient-1048k", "ruler", 131072)))
                .hasValueSatisfying(row -> assertThat(row.shadowkv()).isEqualTo(86.88));
        assertThat(paper.accuracy(grid("Meta-Llama-3.1-8B-Instruct", "ruler", 131072)))
                .hasValueSatisfying(row -> assertThat(row.full()).isEqualTo(85.53));
        assertThat(paper.accuracy(grid("glm-4-9b-chat-1m", "ruler", 131072))).isPresent();
        assertThat(paper.accuracy(grid("Yi-9B-200K", "ruler", 131072))).isPresent();
        assertThat(paper.accuracy(grid("Yi-9B-200K", "ruler", 65536))).isEmpty();
        assertThat(paper.accuracy(grid("Yi-9B-200K", "longbench", 131072))).isEmpty();
        assertThat(paper.accuracy(grid("needle-32k", "ruler", 131072))).isEmpty();
        assertThat(paper.throughput(new Setting("Yi-9B-200K", "cuda", "bf16", 122 * 1024)))
                .hasValueSatisfying(row -> assertThat(row.shadowkvBatch()).isEqualTo(21));
    }

    private static Grid grid(String model, String suite, int context) {
        return new Grid(new Setting(model, "cuda", "bf16", context), suite, Map.of());
    }

    /// Budgets given as a share of the context differ at every length, but form one curve.
    @Test
    void aCurveHasTheSameBudgetOrTheSameShare() {
        List<AnswerRecord> shares = new ArrayList<>();
        List<AnswerRecord> budgets = new ArrayList<>();
        for (int context : List.of(8192, 16384)) {
            shares.add(answer("cpu", "ruler/a", context, 0, 0, Method.FULL, 1));
            shares.add(answer("cpu", "ruler/a", context, 0, 0, SyntheticRun.shadow(context / 64, 160), 0.5));
            budgets.add(answer("cpu", "ruler/a", context, 0, 0, SMALL, 0.5));
            budgets.add(answer("cpu", "ruler/a", context, 0, 0, LARGE, 1));
        }
        assertThat(curves(shares)).containsExactly("full attention: 2", "shadowkv budget 1.56 %: 2");
        assertThat(curves(budgets)).containsExactly("shadowkv budget 64: 2", "shadowkv budget 1024: 2");
    }

    private static List<String> curves(List<AnswerRecord> answers) {
        List<Page.Picture> pictures = LengthFigures.of(grids(answers.toArray(AnswerRecord[]::new)));
        assertThat(pictures).hasSize(1);
        CurvePlot plot = (CurvePlot) pictures.getFirst().figure();
        return plot.curves().stream()
                .map(curve -> curve.name() + ": " + curve.points().size())
                .toList();
    }

    /// Reasoning is not a sample of its own, but its computation counts as work.
    @Test
    void reasoningHasNoScoreButACost() {
        AnswerRecord thoughts = Records.of("longbench-v2-cot/short", 0, 0, Map.of());
        AnswerRecord answer = Records.of("longbench-v2-cot/short", 0, 1, Map.of(), "accuracy", 1.0);
        AnswerRecord alone = Records.of("longbench-v2-cot/long", 0, 0, Map.of());
        Grid grid = grids(thoughts, answer, alone).getFirst();
        assertThat(grid.tasks()).containsExactly("longbench-v2-cot/short");
        Answers answers = grid.answers("longbench-v2-cot/short", Method.FULL).orElseThrow();
        assertThat(answers.samples()).hasSize(1);
        assertThat(answers.mean(AnswerRecord::score).value()).isEqualTo(1);
        assertThat(answers.metric()).isEqualTo("accuracy");
        assertThat(answers.computed()).containsExactly(thoughts, answer);
        assertThat(grids(alone)).isEmpty();
    }
}
