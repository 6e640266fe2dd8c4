package io.shadowkv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.ChildJvm;
import io.shadowkv.Fixtures;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What a JVM that denies native access says when a tokenizer is opened.
class NativeAccessTest {
    private static final String DENIED = "--illegal-native-access=deny";

    /// Opens a tokenizer and prints why that failed, or how many tokens a text has.
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            try (var tokenizer = Tokenizers.open(Path.of(arguments[0]))) {
                System.out.println("tokens: " + tokenizer.encode("a text", false).length);
            } catch (TokenizerException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }

    private static String output(String... flags) {
        String model = Fixtures.repository().resolve("models/needle-32k").toString();
        ChildJvm.Ended ended = ChildJvm.with(flags).run(Program.class, model);
        assertThat(ended.status()).as(ended.output()).isZero();
        return ended.output();
    }

    @Test
    void theMissingOptionIsNamed() {
        assertThat(output(DENIED))
                .contains("refused: the native tokenizers library is not available: this JVM does not allow it")
                .contains("--enable-native-access=ALL-UNNAMED")
                .doesNotContain("java.io.tmpdir");
        assertThat(output(DENIED, "--enable-native-access=ALL-UNNAMED")).contains("tokens: ");
    }
}
