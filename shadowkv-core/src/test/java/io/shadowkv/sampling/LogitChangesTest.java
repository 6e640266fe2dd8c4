package io.shadowkv.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Penalties, bias and bans against their definitions, written out for a whole row.
class LogitChangesTest {
    private static final int[] PROMPT = {3, 1, 1, 9, 0};

    private static float[] changed(SamplingOptions options, float[] logits, int... generated) {
        LogitChanges changes = new LogitChanges(options, PROMPT, 4);
        for (int id : generated) {
            changes.add(id);
        }
        float[] row = logits.clone();
        changes.apply(row);
        return row;
    }

    @Test
    void aRepetitionPenaltyCountsPromptAndGenerated() {
        SamplingOptions options = SamplingOptions.DEFAULT.withRepetitionPenalty(2);
        float[] logits = {1, 2, 3, -4, -5, 6, 0, 8, 9, -10};
        // Id 0 is beyond the prompt's length; 5 and 4 were generated.
        assertThat(changed(options, logits, 5, 4, 5)).containsExactly(1, 1, 3, -8, -10, 3, 0, 8, 9, -20);
    }

    @Test
    void presenceAndFrequencyPenaltiesCountGeneratedOnly() {
        float[] logits = {1, 2, 3, -4, -5, 6, 0, 8, 9, -10};
        SamplingOptions presence = SamplingOptions.DEFAULT.withPresencePenalty(0.5);
        assertThat(changed(presence, logits, 1, 5, 1, 1)).containsExactly(1, 1.5f, 3, -4, -5, 5.5f, 0, 8, 9, -10);
        SamplingOptions frequency = SamplingOptions.DEFAULT.withFrequencyPenalty(0.5);
        assertThat(changed(frequency, logits, 1, 5, 1, 1)).containsExactly(1, 0.5f, 3, -4, -5, 5.5f, 0, 8, 9, -10);
        SamplingOptions wanted =
                SamplingOptions.DEFAULT.withFrequencyPenalty(-2).withPresencePenalty(-1);
        assertThat(changed(wanted, logits, 4, 4)).containsExactly(1, 2, 3, -4, 0, 6, 0, 8, 9, -10);
    }

    @Test
    void allChangesTogetherFollowTheirDefinitions() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 500; i++) {
            SamplingOptions options = SamplingOptions.DEFAULT
                    .withRepetitionPenalty(0.5 + random.nextDouble())
                    .withPresencePenalty(4 * random.nextDouble() - 2)
                    .withFrequencyPenalty(4 * random.nextDouble() - 2)
                    .withLogitBias(Map.of(random.nextInt(10), 200 * random.nextDouble() - 100, 12, -1.5));
            float[] logits = new float[40];
            for (int j = 0; j < logits.length; j++) {
                logits[j] = (float) random.nextGaussian();
            }
            int[] generated = random.ints(random.nextInt(60), 0, 40).toArray();
            float[] found = changed(options, logits, generated);
            for (int id = 0; id < logits.length; id++) {
                assertThat(found[id])
                        .as("token %d, %s", id, options)
                        .isEqualTo(defined(options, logits[id], id, generated));
            }
        }
    }

    private static float defined(SamplingOptions options, float logit, int id, int[] generated) {
        long count = Arrays.stream(generated).filter(one -> one == id).count();
        boolean isSeen = count > 0 || Arrays.stream(PROMPT, 0, 4).anyMatch(one -> one == id);
        float penalty = isSeen ? (float) options.repetitionPenalty() : 1;
        double addend = options.logitBias().getOrDefault(id, 0.0)
                - (count > 0 ? options.presencePenalty() + options.frequencyPenalty() * count : 0);
        return (logit > 0 ? logit / penalty : logit * penalty) + (float) addend;
    }

    @Test
    void aBanCanBeLifted() {
        LogitChanges changes =
                new LogitChanges(SamplingOptions.DEFAULT.withLogitBias(Map.of(2, 1.0)), PROMPT, PROMPT.length);
        changes.ban(List.of(2, 4));
        float[] row = new float[5];
        changes.apply(row);
        assertThat(row).containsExactly(0, 0, Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY);
        changes.ban(List.of());
        row = new float[5];
        changes.apply(row);
        assertThat(row).containsExactly(0, 0, 1, 0, 0);
    }

    @Test
    void entriesAreWrittenForADevice() {
        SamplingOptions options =
                SamplingOptions.DEFAULT.withRepetitionPenalty(2).withPresencePenalty(1);
        LogitChanges changes = new LogitChanges(options, PROMPT, 4);
        int ofPrompt = changes.size();
        changes.add(7);
        changes.add(1);
        assertThat(changes.ids()).containsExactly(3, 1, 9, 7);
        int[] places = new int[10];
        float[] values = new float[10];
        changes.write(0, changes.size(), 6, places, values, 1);
        assertThat(ofPrompt).isEqualTo(3);
        assertThat(places).containsExactly(0, 0, 6, 3, 6, 1, 6, 9, 6, 7);
        assertThat(values).containsExactly(0, 0, 2, 0, 2, -1, 2, 0, 2, -1);
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> SamplingOptions.DEFAULT.withPresencePenalty(2.5))
                .hasMessage("presence penalty is 2.5; expected -2 to 2; 0 is off");
        assertThatThrownBy(() -> SamplingOptions.DEFAULT.withFrequencyPenalty(Double.NaN))
                .hasMessage("frequency penalty is NaN; expected -2 to 2; 0 is off");
        assertThatThrownBy(() -> SamplingOptions.DEFAULT.withLogitBias(Map.of(5, 101.0)))
                .hasMessage("the logit bias of token 5 is 101.0; expected -100 to 100");
        assertThatThrownBy(() -> SamplingOptions.DEFAULT.withLogitBias(Map.of(-1, 1.0)))
                .hasMessage("a token id of the logit bias is -1; expected 0 or more");
        SamplingOptions far = SamplingOptions.DEFAULT.withLogitBias(Map.of(50, 1.0));
        assertThatThrownBy(() -> changed(far, new float[20]))
                .hasMessage("token id 50 is outside the vocabulary of 20 tokens. Correct the logit bias");
    }

    @Test
    void greedyWithChangesIsNotTheLargestLogit() {
        assertThat(SamplingOptions.GREEDY.isLargestLogit()).isTrue();
        assertThat(SamplingOptions.GREEDY.withPresencePenalty(1).isLargestLogit())
                .isFalse();
        assertThat(SamplingOptions.GREEDY.withFrequencyPenalty(1).isLargestLogit())
                .isFalse();
        assertThat(SamplingOptions.GREEDY.withLogitBias(Map.of(1, 1.0)).isLargestLogit())
                .isFalse();
        SamplingOptions counting = SamplingOptions.DEFAULT.withFrequencyPenalty(1);
        assertThatThrownBy(() -> new Sampler(counting).next(new float[3], new int[0], 0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("count generated tokens only");
    }
}
