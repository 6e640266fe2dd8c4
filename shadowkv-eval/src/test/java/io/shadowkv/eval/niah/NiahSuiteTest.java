package io.shadowkv.eval.niah;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.Contexts;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NiahSuiteTest {
    private static final int CONTEXT = 2048;

    @TempDir
    Path folder;

    private static EvalTask open(TaskContext context) {
        return new NiahSuite().open("pressure", context);
    }

    @Test
    void everyCellHasItsNeedleAtItsDepthAndFits() {
        TaskContext context = Contexts.haystack(CONTEXT, null);
        EvalTask task = open(context);
        Set<Map<String, String>> cells = new HashSet<>();
        for (int i = 0; i < PressureGrid.CELLS; i++) {
            Sample sample = task.sample(i);
            assertThat(sample.wrapping()).isEqualTo(Sample.Wrapping.NONE);
            assertThat(sample.turns()).hasSize(1);
            Sample.Turn turn = sample.turns().getFirst();
            String number = turn.references().getFirst();
            assertThat(number).matches("[1-9][0-9]{6}");
            assertThat(turn.user())
                    .endsWith(turn.question() + " Don't give information outside the document or"
                            + " repeat your findings. Keep your response short and direct. Answer: ");
            assertThat(turn.maxNewTokens()).isEqualTo(10);
            int length = Integer.parseInt(sample.labels().get("context"));
            int depth = Integer.parseInt(sample.labels().get("depth"));
            int tokens = context.tokenizer().encode(turn.user(), true).length;
            assertThat(tokens + 10).isLessThanOrEqualTo(CONTEXT).isBetween(length - 32, length + 100);
            double found = (double) turn.user().indexOf(number) / turn.user().length();
            assertThat(found).isBetween(depth / 100.0 - 0.2, depth / 100.0 + 0.2);
            cells.add(sample.labels());
        }
        assertThat(cells).hasSize(PressureGrid.CELLS);
        assertThat(task.sample(0).labels()).isEqualTo(Map.of("context", "1024", "depth", "0"));
        assertThat(task.sample(11).labels()).isEqualTo(Map.of("context", "1097", "depth", "11"));
        assertThat(task.sample(149).labels()).isEqualTo(Map.of("context", "2048", "depth", "100"));
    }

    @Test
    void aRealTokenizersNeedleStandsBehindASentence() {
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            var context = new TaskContext(
                    tokenizer,
                    PromptFormat.plain(tokenizer),
                    8192,
                    1,
                    new TaskContext.Options("nvidia", null, Path.of("nowhere")));
            EvalTask task = open(context);
            for (int cell : new int[] {3, 75, 142, 149}) {
                Sample.Turn turn = task.sample(cell).turns().getFirst();
                int needle = turn.user().indexOf("\nThe special magic ");
                String city = turn.question().replaceAll("What is the special magic | number\\?", "");
                assertThat(turn.user().substring(needle))
                        .startsWith("\nThe special magic " + city + " number is: "
                                + turn.references().getFirst() + "\n");
                if (cell != 149) {
                    assertThat(turn.user().charAt(needle - 1)).isIn('.', '\n');
                }
                int length = Integer.parseInt(task.sample(cell).labels().get("context"));
                assertThat(tokenizer.encode(turn.user(), true).length + 10)
                        .isBetween(length - 64, Math.min(8192, length + 150));
            }
        }
    }

    @Test
    void theCellsAreRepeatedWithOtherNeedles() {
        EvalTask task = open(Contexts.haystack(CONTEXT, null));
        Sample first = task.sample(17);
        Sample second = task.sample(17 + PressureGrid.CELLS);
        assertThat(second.labels()).isEqualTo(first.labels());
        assertThat(second.turns().getFirst().references())
                .isNotEqualTo(first.turns().getFirst().references());
        assertThat(open(Contexts.haystack(CONTEXT, null)).sample(17)).isEqualTo(first);
        assertThat(task.size()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void aShortTextIsRepeated() throws IOException {
        Path file = Files.writeString(folder.resolve("hay.txt"), "One sentence of hay.");
        String prompt = open(Contexts.haystack(CONTEXT, file))
                .sample(140)
                .turns()
                .getFirst()
                .user();
        assertThat(prompt.split("One sentence of hay", -1)).hasSizeGreaterThan(100);
    }

    @Test
    void theCatalogKnowsBothSuites() {
        assertThat(TaskCatalog.names(List.of("niah", "needle-turns")))
                .containsExactly("niah/pressure", "needle-turns/niah_multikey_1");
    }

    @Test
    void tooSmallAContextIsAnError() {
        assertThatThrownBy(() -> open(Contexts.haystack(400, null)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "niah/pressure was asked for contexts of up to 400 tokens; it needs at least 512");
    }

    @Test
    void itsMetricTellsRightFromWrong() {
        Sample.Turn turn =
                open(Contexts.haystack(CONTEXT, null)).sample(3).turns().getFirst();
        String number = turn.references().getFirst();
        assertThat(turn.metrics().stream().map(Metric::name)).containsExactly("string_match_all", "paper:needle_score");
        for (Metric metric : turn.metrics()) {
            assertThat(metric.score(number + ".", turn.references())).isEqualTo(1);
            assertThat(metric.score("1234567 or so", turn.references())).isZero();
            assertThat(metric.score("", turn.references())).isZero();
        }
    }

    @Test
    void turnsAskForDifferentNeedlesOfOneText() {
        TaskContext context = Contexts.haystack(3000, null);
        EvalTask task = new MultiTurnNeedleSuite().open("niah_multikey_1", context);
        Sample sample = task.sample(2);
        assertThat(sample.task()).isEqualTo("needle-turns/niah_multikey_1");
        assertThat(sample.index()).isEqualTo(2);
        assertThat(sample.history()).isEqualTo(Sample.History.CONVERSATION);
        assertThat(sample.labels()).isEqualTo(Map.of("length", "3000", "turns", "4"));
        assertThat(sample.turns()).hasSize(4);
        String text = sample.turns().getFirst().user();
        int tokens = 0;
        Set<String> answers = new HashSet<>();
        for (Sample.Turn turn : sample.turns()) {
            tokens += context.format().turn(turn, tokens == 0 ? -1 : 1 << 30).length + 128;
            assertThat(turn.maxNewTokens()).isEqualTo(128);
            assertThat(text).contains(turn.references().getFirst());
            answers.addAll(turn.references());
        }
        assertThat(answers).hasSize(4);
        assertThat(tokens).isBetween(2900, 3000);
        assertThatThrownBy(() -> new MultiTurnNeedleSuite(1)).hasMessageContaining("two or more");
    }
}
