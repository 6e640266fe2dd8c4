package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A text on the command line is used unchanged: it is not expanded, cut or taken for an option.
class PromptWordsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "@",
                "@@twice",
                "@no-such-file what does this say?",
                "${sys:user.home} $HOME ${HOME}",
                "\"quoted\"",
                "'quoted'",
                "@|red colour|@",
                "a,b;c|d",
                " blanks around ",
                "100 % of %s %n",
                "back\\slash\\n",
                "two\nlines",
                "--not an option",
                "-5 and 3",
                "-n",
                "--",
                "--json"
            })
    void arriveAsTheyWereWritten(String text) {
        assertThat(shadowkv("tokenize", "needle-32k", "--json", "--", text)
                        .json()
                        .get("text")
                        .asString())
                .isEqualTo(text);
    }

    @Test
    void anAtIsNoFileOfArguments(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("arguments"), "--ids --no-such-option");
        String text = "@" + file;
        assertThat(shadowkv("tokenize", "needle-32k", text, "--json")
                        .json()
                        .get("text")
                        .asString())
                .isEqualTo(text);
        shadowkv("run", "@" + file, "hello").refused(1, "@" + file + ": no such folder");
    }

    /// The GNU rule: an option with a text argument takes the next word, whatever it looks like.
    @ParameterizedTest
    @ValueSource(strings = {"@end", "-", "--json", "-n", "\"", "-5", "a,b", "${x}"})
    void areTakenByTheOptionBeforeThem(String text) {
        Shell.Result result = shadowkv("run", "needle-32k", "x", "--raw", "-n", "2", "--stop", text, "--json");
        assertThat(result.json().get("generated_tokens").asInt()).isEqualTo(2);
    }

    @Test
    void thatBeginWithADashAreToldOfTheTwoDashes() {
        shadowkv("run", "needle-32k", "-x + 3 = 5; what is x?")
                .refused(
                        2,
                        "Unknown option: '-x + 3 = 5; what is x?'; to pass a text that begins with -, put -- before it");
    }
}
