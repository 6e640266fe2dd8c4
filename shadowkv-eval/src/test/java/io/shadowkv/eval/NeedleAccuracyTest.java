package io.shadowkv.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.MemoryPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NeedleAccuracyTest {
    private static final NeedleAccuracy.Plan PLAN = new NeedleAccuracy.Plan(
            "m", List.of(NeedleTask.named("niah_single_1"), NeedleTask.named("niah_multivalue")), 3, 1, 900, 20);

    @TempDir
    private Path folder;

    private int asked;
    private final List<String> heard = new ArrayList<>();

    private List<AnswerRecord> run(AnswerLog log, String settings, int stopAfter) {
        var format = new CountingFormat();
        var sampler = new NeedleSampler(format, RunningText.of("One. Two? Three!"), WordList.bundled());
        List<NeedleAccuracy.Method> methods = List.of(
                new NeedleAccuracy.Method(new KvCacheSpec.Full(), ""),
                new NeedleAccuracy.Method(KvCacheSpec.Shadow.DEFAULT, settings));
        return new NeedleAccuracy(PLAN, sampler, format, this::answer, methods)
                .run(log, new Watching(), () -> asked >= stopAfter);
    }

    private List<Completion> answer(int[] ids, int room, List<KvCacheSpec> strategies, GenerationListener listener) {
        listener.reading(1);
        asked += strategies.size();
        var bytes = new MemoryPlan.SequenceBytes(10, 20, List.of());
        var completion = new Completion(
                ids.length,
                new int[] {1, 2},
                " wrong",
                Completion.FinishReason.END_OF_SEQUENCE,
                new Completion.Timings(2_000_000_000L, 0, 500_000_000L, 4),
                new Completion.CacheReport(bytes, bytes, 0, 0, true));
        return Collections.nCopies(strategies.size(), completion);
    }

    @Test
    void resumesWhereItStopped() {
        Path file = folder.resolve("answers.jsonl");
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(run(log, "budget 8", 5)).hasSize(6);
        }
        asked = 0;
        heard.clear();
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(run(log, "budget 8", 99)).hasSize(12);
            assertThat(asked).isEqualTo(6);
            assertThat(heard.getFirst()).isEqualTo("niah_multivalue 0 6/12");
            assertThat(heard.getLast()).isEqualTo("niah_multivalue 2 10/12");
        }
    }

    @Test
    void asksAgainWithOtherSettings() {
        try (AnswerLog log = AnswerLog.open(folder.resolve("answers.jsonl"))) {
            run(log, "budget 8", 99);
            asked = 0;
            assertThat(run(log, "budget 16", 99)).hasSize(12);
            assertThat(asked).isEqualTo(6);
        }
    }

    @Test
    void dropsALineCutShortAndKeepsTheOthers() throws IOException {
        Path file = folder.resolve("answers.jsonl");
        try (AnswerLog log = AnswerLog.open(file)) {
            run(log, "", 2);
        }
        long whole = Files.size(file);
        Files.writeString(file, "{\"key\":{\"mod", StandardOpenOption.APPEND);
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(log.answers()).hasSize(2);
        }
        assertThat(file).hasSize(whole);
    }

    @Test
    void keepsAnswersExactly() {
        Path file = folder.resolve("answers.jsonl");
        List<AnswerRecord> before;
        try (AnswerLog log = AnswerLog.open(file)) {
            before = run(log, "a \"quoted\" budget", 99);
        }
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(log.answers()).containsExactlyElementsOf(before);
        }
        assertThat(before.getFirst().decodeSteps()).isEqualTo(4);
        assertThat(before.getFirst().hitRate()).isNull();
    }

    @Test
    void refusesAFileOfAnotherKind() throws IOException {
        Path file = folder.resolve("other.jsonl");
        Files.writeString(file, "hello\n");
        assertThatThrownBy(() -> AnswerLog.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("other.jsonl, line 1");
        assertThat(file).hasContent("hello\n");
    }

    @Test
    void averagesByTaskAndMethod() {
        var key = new AnswerRecord.Key("m", "t", 10, 1, 0, "full", "");
        AnswerRecord good = new AnswerRecord(key, "", List.of("1"), 1, 1, 2, 0, 1, 10, null, 0, 0, "");
        AnswerRecord half = new AnswerRecord(key, "", List.of("1"), 0.5, 1, 4, 0, 1, 30, null, 0, 0, "");
        assertThat(AccuracyTable.of(List.of(good, half)).cells())
                .containsExactly(new AccuracyTable.Cell("t", "full", 2, 0.75, 1, 3, 20));
    }

    private final class Watching implements NeedleAccuracy.Watcher {
        @Override
        public void asking(String task, int index, int done, int total, Duration left) {
            heard.add(task + " " + index + " " + done + "/" + total);
        }

        @Override
        public void reading(double share) {
            assertThat(share).isEqualTo(1);
        }

        @Override
        public void answered(AnswerRecord answer) {
            assertThat(answer.score()).isZero();
        }
    }
}
