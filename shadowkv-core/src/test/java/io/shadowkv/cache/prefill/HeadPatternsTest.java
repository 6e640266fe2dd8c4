package io.shadowkv.cache.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.Fixtures;
import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Pattern files, good and bad.
class HeadPatternsTest {
    @Test
    void readsAPublishedFile() {
        Path file = Fixtures.golden("minference").resolve("minference/example_best_pattern.json");
        HeadPatterns patterns = HeadPatterns.read(file);
        assertThat(patterns.layers()).hasSize(2);
        assertThat(patterns.of(0, 2)).isEqualTo(new Pattern(Kind.STREAM_LLM, 100, 800));
        assertThat(patterns.of(0, 3)).isEqualTo(new Pattern(Kind.VERTICAL_AND_SLASH, 3500, 100));
        assertThat(patterns.of(1, 2)).isEqualTo(new Pattern(Kind.BLOCK_SPARSE, 100, 100));
        assertThat(patterns.of(1, 7)).isEqualTo(HeadPatterns.USUAL);
        assertThat(patterns.file()).isEqualTo(file.toString());
        assertThat(HeadPatterns.usual().file()).isNull();
        patterns.check(2, 4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[{\"0\": | is not JSON",
                "{} | is not a list with an object for each layer",
                "[] | is not a list with an object for each layer",
                "[7] | layer 0: 7; expected an object from head numbers to patterns",
                "[{}, {\"x\": [\"stream_llm\", 1, 2]}] | layer 1: 'x' is not the number of a head",
                "[{\"0\": [\"diagonal\", 1, 2, 3]}] | layer 0, head 0: \"diagonal\"; expected the kind",
                "[{\"0\": [\"stream_llm\", -1, 2, 3]}] | layer 0, head 0: [\"stream_llm\",-1,2,3]; expected [kind,",
                "[{\"0\": [\"stream_llm\", 1.5, 2, 3]}] | expected [kind, vertical, slash, score]",
                "[{\"0\": [\"stream_llm\"]}] | expected [kind, vertical, slash, score]"
            })
    void aMalformedFileIsRefused(String json, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadPatterns.parse("pattern file p.json", json.getBytes(StandardCharsets.UTF_8)))
                .withMessageStartingWith("pattern file p.json")
                .withMessageContaining(message)
                .withMessageContaining("Give the pattern file of this model, or leave the file out");
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HeadPatterns.read(Path.of("no-such-patterns.json")))
                .withMessageStartingWith("pattern file no-such-patterns.json does not exist. Give the pattern file");
    }
}
