package io.shadowkv.cache.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The choice of a pattern among the candidates of a search, and the file of the choices.
class PatternTrialsTest {
    private static final Pattern FEW = new Pattern(Kind.VERTICAL_AND_SLASH, 30, 50);
    private static final Pattern NEAR = new Pattern(Kind.STREAM_LLM, 64, 256);
    private static final Pattern MANY = new Pattern(Kind.VERTICAL_AND_SLASH, 1000, 3000);

    /// One layer, two heads, two rows.
    private static PatternTrials trials() {
        var trials = new PatternTrials(
                new PatternTrials.Sums(1, 2, List.of(FEW, NEAR, MANY), new long[1], new double[6], new double[6]));
        for (int row = 0; row < 2; row++) {
            trials.addRow(0);
            trials.add(0, 0, 0, 0.5, 100);
            trials.add(0, 0, 1, 0.7, 300 + row);
            trials.add(0, 0, 2, 0.9, 3000);
            trials.add(0, 1, 0, 0.6, 100);
            trials.add(0, 1, 1, 0.6, 90);
            trials.add(0, 1, 2, 0.8, 3000);
        }
        return trials;
    }

    @Test
    void aHeadTakesWhatKeepsMostWithinTheNumberOfKeys() {
        List<PatternTrials.Choice> heads = trials().choose(301).getFirst();
        assertThat(heads.get(0)).isEqualTo(new PatternTrials.Choice(NEAR, 0.7, 300.5));
        // Of equals, the one that reads fewer keys.
        assertThat(heads.get(1)).isEqualTo(new PatternTrials.Choice(NEAR, 0.6, 90));
        assertThat(trials().choose(300).getFirst().getFirst().pattern()).isEqualTo(FEW);
        assertThat(trials().choose(5000).getFirst().getFirst().pattern()).isEqualTo(MANY);
    }

    @Test
    void tooFewKeysAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> trials().choose(95))
                .withMessage("a row may read 95 keys, but in layer 0, head 0, the candidate that reads least reads 100"
                        + " on average. Allow at least that many");
    }

    @Test
    void theFileIsReadAsTheSamePatterns() {
        String file = PatternTrials.file(trials().choose(301));
        assertThat(file).isEqualTo("[{\"0\":[\"stream_llm\",64,256,0.7],\"1\":[\"stream_llm\",64,256,0.6]}]\n");
        assertThat(HeadPatterns.parse("file", file.getBytes(StandardCharsets.UTF_8))
                        .layers())
                .isEqualTo(List.of(Map.of(0, NEAR, 1, NEAR)));
    }

    @Test
    void sumsOfAnotherSizeAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PatternTrials.Sums(1, 2, List.of(FEW), new long[1], new double[3], new double[2]))
                .withMessageContaining("expected 1 and twice 2");
    }
}
