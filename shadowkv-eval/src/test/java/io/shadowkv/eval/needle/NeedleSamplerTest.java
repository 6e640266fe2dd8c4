package io.shadowkv.eval.needle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.BlankTokenizer;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.text.RunningText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class NeedleSamplerTest {
    private static final RunningText TEXT = RunningText.kingJames();
    private static final PromptFormat FORMAT = PromptFormat.plain(new BlankTokenizer());
    private static final NeedleSampler SAMPLER = new NeedleSampler(FORMAT, TEXT, WordList.bundled());

    private static int tokens(String text) {
        return FORMAT.encode(text).length;
    }

    static Stream<Arguments> tasksAndSizes() {
        return NeedleTask.ALL.stream()
                .flatMap(task -> Stream.of(
                        Arguments.of(task, 700, 0),
                        Arguments.of(task, 4096, 0),
                        Arguments.of(task, 4096, 5),
                        Arguments.of(task, 30_000, 3)));
    }

    @ParameterizedTest
    @MethodSource("tasksAndSizes")
    void fillsUpToOneUnitAndNeverBeyond(NeedleTask task, int totalTokens, int further) {
        var size = new NeedleSampler.Size(totalTokens, further, 20);
        for (int index = 0; index < 3; index++) {
            NeedleText sample = SAMPLER.sample(task, 7, index, size);
            int counted = 0;
            for (Sample.Turn turn : sample.sample().turns()) {
                counted += 20 + tokens(turn.user() + turn.answerPrefix());
            }
            assertThat(sample.totalTokens()).isEqualTo(counted).isLessThanOrEqualTo(totalTokens);
            // In this haystack further questions ask for filler lines, so their keys change with
            // its length.
            int questions = task.haystack() == Haystack.NEEDLES ? further * 2 * 10 : 0;
            assertThat(totalTokens - counted).isLessThan(largestUnit(task) + 2 + questions);
        }
    }

    private static int largestUnit(NeedleTask task) {
        return switch (task.haystack()) {
            case REPEAT -> tokens(NeedlePrompts.NOISE);
            case ESSAY ->
                TEXT.sentences().stream()
                        .mapToInt(NeedleSamplerTest::tokens)
                        .max()
                        .orElseThrow();
            // "One of the special magic numbers for KEY is: VALUE."
            case NEEDLES -> 10;
        };
    }

    @ParameterizedTest
    @MethodSource("tasksAndSizes")
    void hidesEachNeedleOnceAtItsDepth(NeedleTask task, int totalTokens, int further) {
        NeedleText sample = SAMPLER.sample(task, 11, 2, new NeedleSampler.Size(totalTokens, further, 20));
        String text = sample.sample().turns().getFirst().user();
        int begin = text.indexOf('\n') + 1;
        int end = text.lastIndexOf('\n');
        for (NeedleText.Needle needle : sample.needles()) {
            int at = text.indexOf(needle.sentence());
            assertThat(at).as(needle.sentence()).isGreaterThanOrEqualTo(begin);
            assertThat(text.indexOf(needle.sentence(), at + 1)).isNegative();
            assertThat(text.indexOf(needle.value(), at + needle.sentence().length()))
                    .isNegative();
            double slack = (largestUnit(task) * 6.0 + sample.needles().size() * 120) / (end - begin) + 0.02;
            assertThat((double) (at - begin) / (end - begin)).isCloseTo(needle.depth(), within(slack));
        }
    }

    @Test
    void placesEssayNeedlesAtWholePerCentsOfFortyDepths() {
        var size = new NeedleSampler.Size(20_000, 0, 20);
        for (int index = 0; index < 10; index++) {
            NeedleText sample = SAMPLER.sample(NeedleTask.named("niah_multikey_1"), 3, index, size);
            String text = sample.sample().turns().getFirst().user();
            int units = sentencesOf(text, sample);
            for (NeedleText.Needle needle : sample.needles()) {
                boolean isDepth = false;
                for (int depth = 0; depth < 40; depth++) {
                    isDepth |= Math.round(needle.depth() * units) == units * Math.round(depth * 100 / 39.0) / 100;
                }
                assertThat(isDepth)
                        .as("depth " + needle.depth() + " of " + units + " sentences")
                        .isTrue();
            }
        }
    }

    private static int sentencesOf(String text, NeedleText sample) {
        String context = text.substring(text.indexOf('\n') + 1, text.lastIndexOf('\n'));
        return RunningText.of(context).sentences().size() - sample.needles().size();
    }

    @ParameterizedTest
    @MethodSource("tasksAndSizes")
    void isDeterminedBySeedAndIndex(NeedleTask task, int totalTokens, int further) {
        var size = new NeedleSampler.Size(totalTokens, further, 20);
        NeedleText sample = SAMPLER.sample(task, 5, 1, size);
        assertThat(SAMPLER.sample(task, 5, 1, size)).isEqualTo(sample);
        assertThat(SAMPLER.sample(task, 5, 2, size).needles()).isNotEqualTo(sample.needles());
        assertThat(SAMPLER.sample(task, 6, 1, size).needles()).isNotEqualTo(sample.needles());
    }

    @Test
    void samplesShareNoKeyOrValue() {
        var size = new NeedleSampler.Size(1500, 5, 20);
        List<String> seen = new ArrayList<>();
        for (int seed = 0; seed < 5; seed++) {
            for (int index = 0; index < 5; index++) {
                for (NeedleText.Needle needle : SAMPLER.sample(NeedleTask.named("niah_multikey_1"), seed, index, size)
                        .needles()) {
                    seen.add(needle.key());
                    seen.add(needle.value());
                }
            }
        }
        assertThat(seen).hasSize(5 * 5 * 9 * 2).doesNotHaveDuplicates();
    }

    @Test
    void asksAsRulerDoes() {
        var size = new NeedleSampler.Size(2000, 1, 20);
        NeedleText one = SAMPLER.sample(NeedleTask.named("niah_single_3"), 1, 0, size);
        Sample.Turn first = one.sample().turns().getFirst();
        String key = keyOf(one, first.references().getFirst());
        assertThat(first.user())
                .startsWith("A special magic uuid is hidden within the following text. Make sure to memorize it."
                        + " I will quiz you about the uuid afterwards.\nIn the beginning God created")
                .endsWith("\nWhat is the special magic uuid for " + key + " mentioned in the provided text?");
        assertThat(first.answerPrefix())
                .isEqualTo(" The special magic uuid for " + key + " mentioned in the provided text is");
        assertThat(one.sample().turns().getLast().user())
                .isEqualTo("What is the special magic uuid for "
                        + keyOf(one, one.sample().turns().getLast().references().getFirst())
                        + " mentioned in the provided text?");

        NeedleText several =
                SAMPLER.sample(NeedleTask.named("niah_multiquery"), 1, 0, new NeedleSampler.Size(2000, 0, 20));
        List<String> keys = several.sample().turns().getFirst().references().stream()
                .map(v -> keyOf(several, v))
                .toList();
        String query = keys.get(0) + ", " + keys.get(1) + ", " + keys.get(2) + ", and " + keys.get(3);
        assertThat(several.sample().turns().getFirst().user())
                .startsWith("Some special magic numbers are hidden within the following text. Make sure to memorize it."
                        + " I will quiz you about the numbers afterwards.\n")
                .endsWith("\nWhat are all the special magic numbers for " + query + " mentioned in the provided text?");
        assertThat(several.sample().turns().getFirst().answerPrefix())
                .isEqualTo(" The special magic numbers for " + query + " mentioned in the provided text are");
    }

    private static String keyOf(NeedleText sample, String value) {
        return sample.needles().stream()
                .filter(n -> n.value().equals(value))
                .findFirst()
                .orElseThrow()
                .key();
    }

    @Test
    void refersToTheValuesOfTheAskedKeyOnly() {
        NeedleText sample =
                SAMPLER.sample(NeedleTask.named("niah_multivalue"), 9, 0, new NeedleSampler.Size(3000, 2, 20));
        assertThat(sample.needles()).hasSize(12);
        for (Sample.Turn turn : sample.sample().turns()) {
            assertThat(turn.references()).hasSize(4).doesNotHaveDuplicates();
            assertThat(turn.references().stream().map(v -> keyOf(sample, v)).distinct())
                    .hasSize(1);
            assertThat(turn.question()).contains(keyOf(sample, turn.references().getFirst()));
        }
        assertThat(sample.sample().turns().stream().map(Sample.Turn::question).distinct())
                .hasSize(3);
    }

    @Test
    void refusesWhatCannotFit() {
        assertThatThrownBy(() ->
                        SAMPLER.sample(NeedleTask.named("niah_single_1"), 1, 0, new NeedleSampler.Size(60, 0, 20)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("needs at least")
                .hasMessageContaining("60 were allowed");
        assertThatThrownBy(() ->
                        SAMPLER.sample(NeedleTask.named("niah_single_2"), 1, 0, new NeedleSampler.Size(30_000, 40, 20)))
                .hasMessageContaining("40 depths");
        assertThatThrownBy(() -> NeedleTask.named("niah_single_9"))
                .hasMessageContaining("niah_single_1, niah_single_2");
    }
}
