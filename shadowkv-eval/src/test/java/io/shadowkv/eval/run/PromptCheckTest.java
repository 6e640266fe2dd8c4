package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TinyTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/// Answers in a log must be to today's prompts; otherwise the run is refused with both values.
final class PromptCheckTest {
    private static final Metric OWN = new Metric() {
        @Override
        public String name() {
            return "own";
        }

        @Override
        public double score(String answer, List<String> references) {
            return 1;
        }
    };

    private final TinyTokenizer tokenizer = new TinyTokenizer();
    private final PromptFormat format = PromptFormat.plain(tokenizer);

    /// A task of 70 samples with two turns each.
    private record Task(UnaryOperator<Sample> change) implements EvalTask {
        @Override
        public String name() {
            return "t/a";
        }

        @Override
        public int size() {
            return 70;
        }

        @Override
        public Sample sample(int index) {
            var first = new Sample.Turn("text " + index, "q", "", List.of("r"), 4, List.of(), List.of(OWN));
            var later = new Sample.Turn("later " + index, "q", "", List.of("r"), 4, List.of(), List.of(OWN));
            return change.apply(new Sample("t/a", index, List.of(first, later)));
        }
    }

    private PromptCheck check(UnaryOperator<Sample> change) {
        return new PromptCheck(Map.of("t/a", new Task(change)), format, tokenizer, 1000, () -> false);
    }

    /// The answers to both turns of the unchanged samples.
    private List<AnswerRecord> answers() {
        var maker = new SampleMaker(Map.of("t/a", new Task(UnaryOperator.identity())), format, tokenizer, 1000);
        List<AnswerRecord> answers = new ArrayList<>();
        for (int i = 0; i < 70; i++) {
            String hash = maker.make(new Item("t/a", i)).dialogue().promptHash();
            for (int turn = 0; turn < 2; turn++) {
                answers.add(Records.of("t/a", i, turn, Map.of(), Map.of("own", 1.0), hash));
            }
        }
        return answers;
    }

    private void refused(UnaryOperator<Sample> change, String... parts) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> check(change).check(Path.of("answers.jsonl"), answers(), _ -> {}))
                .withMessageStartingWith("answers.jsonl has answers to other prompts than this command asks: ")
                .withMessageEndingWith("Give another folder, or restore what changed")
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private static UnaryOperator<Sample> at(int index, UnaryOperator<Sample> change) {
        return sample -> sample.index() == index ? change.apply(sample) : sample;
    }

    private static UnaryOperator<Sample> turn(int number, UnaryOperator<Sample.Turn> change) {
        return sample -> {
            List<Sample.Turn> turns = new ArrayList<>(sample.turns());
            turns.set(number, change.apply(turns.get(number)));
            return new Sample(sample.task(), sample.index(), turns);
        };
    }

    @Test
    void theSamePromptsPass() {
        List<Double> heard = new ArrayList<>();
        check(UnaryOperator.identity()).check(Path.of("answers.jsonl"), answers(), heard::add);
        assertThat(heard).isSorted().last().isEqualTo(1.0);
        AnswerRecord other = Records.of("t/other", 0, 0, Map.of(), Map.of("own", 1.0), "another");
        check(UnaryOperator.identity()).check(Path.of("answers.jsonl"), List.of(other), _ -> {});
    }

    @Test
    void anotherPromptIsNamedWithBothHashes() {
        String before = answers().get(2 * 68).promptHash();
        refused(
                at(68, turn(0, turn -> turn.withUser("other words"))),
                "sample 68 of t/a had the prompt " + before + " and has ",
                "1 of 70 samples differ");
        // A later turn's question is part of the comparison.
        refused(
                at(3, turn(1, turn -> turn.withUser("other words"))),
                "sample 3 of t/a had the prompt " + answers().get(6).promptHash());
        refused(turn(1, turn -> turn.withUser("other words")), "70 of 70 samples differ");
    }

    @Test
    void otherRightAnswersAndOtherScoresAreNamed() {
        refused(
                at(
                        5,
                        turn(
                                1,
                                turn -> new Sample.Turn(
                                        turn.user(), "q", "", List.of("s"), 4, List.of(), turn.metrics()))),
                "sample 5 of t/a had the right answers [r] and has [s] now");
        refused(
                at(
                        5,
                        turn(
                                0,
                                turn -> new Sample.Turn(
                                        turn.user(), "q", "", turn.references(), 4, List.of(), List.of(OWN, OWN)))),
                "sample 5 of t/a was scored by [own] and is scored by [own, own] now");
    }

    @Test
    void aSampleThatIsGoneIsNamed() {
        refused(
                at(7, _ -> {
                    throw new IllegalArgumentException("line 8 is cut");
                }),
                "sample 7 of t/a was answered, and it cannot be asked now: line 8 is cut");
        AnswerRecord beyond = Records.of("t/a", 70, 0, Map.of(), Map.of("own", 1.0), "h");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> check(UnaryOperator.identity()).check(Path.of("a"), List.of(beyond), _ -> {}))
                .withMessageContaining("sample 70 of t/a was answered, and the task has no such sample now");
    }

    @Test
    void itCanBeCancelled() {
        var check =
                new PromptCheck(Map.of("t/a", new Task(UnaryOperator.identity())), format, tokenizer, 1000, () -> true);
        assertThatExceptionOfType(CancellationException.class)
                .isThrownBy(() -> check.check(Path.of("a"), answers(), _ -> {}));
    }
}
