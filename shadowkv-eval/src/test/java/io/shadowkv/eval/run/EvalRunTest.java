package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.SampleRefusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EvalRunTest {
    private static final int SAMPLES = 11;
    private static final EvalPlan PLAN = FakeExaminer.plan(SAMPLES);
    private static final Item POISON = new Item("b/y", 4);

    @TempDir
    Path folder;

    private final AtomicBoolean isCancelled = new AtomicBoolean();
    private final RecordingWatcher watcher = new RecordingWatcher();
    private final List<Item> asked = Collections.synchronizedList(new ArrayList<>());

    private Supplier<Examiner> examiner(Consumer<Item> beforeItem) {
        return () -> new FakeExaminer(PLAN, item -> {
            asked.add(item);
            beforeItem.accept(item);
        });
    }

    private List<AnswerRecord> run(String name, List<Supplier<Examiner>> openers) {
        try (AnswerLog log = AnswerLog.open(folder.resolve(name))) {
            return new EvalRun(PLAN, log, EvalRun.Options.ofBatch(4), watcher, isCancelled::get)
                    .run(PLAN.items(), openers);
        }
    }

    private List<AnswerRecord> expected() {
        return new FakeExaminer(PLAN).examine(PLAN.items(), _ -> true, _ -> {});
    }

    private long lines(String name) {
        try {
            return Files.readAllLines(folder.resolve(name)).size();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneExaminerAnswersEverythingInThePlansOrder() {
        assertThat(run("one", List.of(examiner(_ -> {})))).isEqualTo(expected());
        assertThat(lines("one")).isEqualTo(expected().size());
        assertThat(asked).isEqualTo(PLAN.items());
        assertThat(watcher.progress.getLast())
                .extracting(Watcher.Progress::done)
                .isEqualTo(2 * SAMPLES);
    }

    @Test
    void anExaminerIsToldWhatIsAskedNowAndNext() {
        List<List<Item>> expected = new ArrayList<>();
        Supplier<Examiner> listening = () -> new Examiner() {
            @Override
            public void expect(List<Item> items) {
                expected.add(items);
            }

            @Override
            public List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener) {
                return new FakeExaminer(PLAN).examine(items, wanted, listener);
            }

            @Override
            public void close() {}
        };
        run("listening", List.of(listening));
        List<Item> items = PLAN.items();
        assertThat(expected)
                .containsExactly(
                        items.subList(0, 8),
                        items.subList(4, 12),
                        items.subList(8, 16),
                        items.subList(12, 20),
                        items.subList(16, 22),
                        items.subList(20, 22));
    }

    @Test
    void examinersShareTheItems() {
        var together = new CyclicBarrier(3);
        Supplier<Examiner> meeting = () -> {
            Barriers.await(together);
            return examiner(_ -> {}).get();
        };
        assertThat(run("three", List.of(meeting, meeting, meeting))).isEqualTo(expected());
        assertThat(lines("three")).isEqualTo(expected().size());
        assertThat(asked).containsExactlyInAnyOrderElementsOf(PLAN.items());
    }

    @Test
    void anExaminerThatFailsIsReplacedAndItsItemsAreAskedAgainAlone() {
        var failures = new AtomicInteger(2);
        var opened = new AtomicInteger();
        Supplier<Examiner> failing = () -> {
            opened.incrementAndGet();
            return examiner(item -> {
                        if (item.equals(POISON) && failures.getAndDecrement() > 0) {
                            throw new ExaminerFailure("fell over", new IOException());
                        }
                    })
                    .get();
        };
        assertThat(run("failing", List.of(failing, failing))).isEqualTo(expected());
        assertThat(lines("failing")).isEqualTo(expected().size());
        assertThat(watcher.failed)
                .hasSize(2)
                .allSatisfy(items -> assertThat(items).contains(POISON));
        assertThat(watcher.failed.getLast()).containsExactly(POISON);
        assertThat(opened.get()).isBetween(3, 4);
    }

    @Test
    void anItemOverWhichEveryExaminerFailsIsNamed() {
        Supplier<Examiner> failing = examiner(item -> {
            if (item.equals(POISON)) {
                throw new ExaminerFailure("fell over", new IOException());
            }
        });
        assertThatThrownBy(() -> run("poison", List.of(failing, failing)))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("sample 4 of b/y was asked 3 times")
                .hasMessageContaining("fell over");
        assertThat(asked.stream().filter(POISON::equals)).hasSize(3);
        assertThat(lines("poison")).as("what was answered before is kept").isPositive();
    }

    @Test
    void anExaminerMustAnswerEveryItem() {
        Supplier<Examiner> forgetful = () -> new Examiner() {
            @Override
            public List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener) {
                return new FakeExaminer(PLAN)
                        .examine(items, key -> !key.method().equals(Method.FULL) || key.index() != 3, listener);
            }

            @Override
            public void close() {}
        };
        assertThatThrownBy(() -> run("forgetful", List.of(forgetful)))
                .hasMessageContaining("left sample 3 of a/x unanswered");
    }

    @Test
    void anExaminerThatCannotBeOpenedEndsTheRunButNothingIsLost() {
        var isAsked = new CyclicBarrier(2);
        var isFirst = new AtomicBoolean(true);
        Supplier<Examiner> working = examiner(item -> {
            if (isFirst.getAndSet(false)) {
                Barriers.await(isAsked);
            }
        });
        Supplier<Examiner> broken = () -> {
            Barriers.await(isAsked);
            throw new ExaminerFailure("there is no device 1", new IOException());
        };
        assertThatThrownBy(() -> run("broken", List.of(working, broken))).hasMessage("there is no device 1");
        assertThat(lines("broken")).isPositive();
    }

    @Test
    void theCallersMistakeIsNotRepeated() {
        assertThatThrownBy(() -> run("mistake", List.of(examiner(_ -> {
                    throw new IllegalArgumentException("the text is too short");
                }))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the text is too short");
        assertThat(asked).hasSize(1);
    }

    /// One sample that is too long among thousands does not end a run, and does not end the next
    /// run either.
    @Test
    void whatCannotBeAskedIsLeftOut() {
        Supplier<Examiner> refusing = examiner(item -> {
            if (item.equals(POISON)) {
                throw new SampleRefusal(item, "too long");
            }
        });
        List<AnswerRecord> others = expected().stream()
                .filter(answer -> !answer.key().task().equals(POISON.task())
                        || answer.key().index() != POISON.index())
                .toList();
        for (int run = 1; run <= 2; run++) {
            assertThat(run("long", List.of(refusing, refusing))).isEqualTo(others);
            assertThat(lines("long")).isEqualTo(others.size());
            assertThat(watcher.leftOut).hasSize(run).containsOnly(POISON);
            assertThat(watcher.failed).isEmpty();
        }
        assertThat(watcher.progress.getLast())
                .extracting(Watcher.Progress::done)
                .isEqualTo(2 * SAMPLES - 1);
        assertThatThrownBy(() -> run("all", List.of(examiner(item -> {
                    throw new SampleRefusal(item, "too long");
                }))))
                .isInstanceOf(SampleRefusal.class)
                .hasMessage("too long");
        assertThat(watcher.leftOut).hasSize(2 + 2 * SAMPLES);
    }

    @Test
    void aCancelledRunKeepsWhatItHasAndTheNextAsksOnlyWhatIsMissing() {
        Supplier<Examiner> cancelled = examiner(item -> {
            if (item.equals(new Item("a/x", 9))) {
                isCancelled.set(true);
                throw new CancellationException();
            }
        });
        assertThatThrownBy(() -> run("resumed", List.of(cancelled)))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("8 of 22 samples");
        isCancelled.set(false);
        asked.clear();
        assertThat(run("resumed", List.of(examiner(_ -> {})))).isEqualTo(expected());
        assertThat(asked).isEqualTo(PLAN.items().subList(8, 22));
        assertThat(lines("resumed")).isEqualTo(expected().size());

        asked.clear();
        assertThat(run("resumed", List.of(examiner(_ -> {})))).isEqualTo(expected());
        assertThat(asked).as("nothing is open").isEmpty();
    }

    @Test
    void onlyTheMissingMethodIsAskedFor() {
        List<AnswerRecord> full = expected().stream()
                .filter(answer -> answer.key().method().equals(Method.FULL))
                .toList();
        try (AnswerLog log = AnswerLog.open(folder.resolve("half"))) {
            log.append(full);
        }
        assertThat(run("half", List.of(examiner(_ -> {})))).isEqualTo(expected());
        assertThat(lines("half")).isEqualTo(expected().size());
    }

    @Test
    void aTaskMayHaveFewerSamples() {
        assertThat(PLAN.items(task -> task.equals("a/x") ? 2 : 100)).hasSize(2 + SAMPLES);
    }
}
