package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the script of `completion` in bash.
class CompletionCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void writeScript() throws IOException {
        Files.writeString(
                folder.resolve("completion"),
                shadowkv("completion", "bash").succeeded().out());
    }

    /// The completions that bash offers for the last of these words.
    private List<String> completions(String... words) throws IOException, InterruptedException {
        // Bash's own compopt only works during completion.
        String line = "source completion; compopt() { :; }\n"
                + "COMP_WORDS=(shadowkv \"$@\"); COMP_CWORD=$#; COMP_LINE=\"shadowkv $*\"; COMP_POINT=${#COMP_LINE}\n"
                // The function that the script registered for the program's name.
                + "$(complete -p shadowkv | sed 's/.*-F \\([^ ]*\\).*/\\1/') shadowkv \"${!#}\" \"\"\n"
                + "printf '%s\\n' \"${COMPREPLY[@]}\"";
        var command = new ArrayList<>(List.of("bash", "--norc", "-c", line, "bash"));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(folder.resolve("err")).hasContent("");
        return out.lines().map(String::strip).toList();
    }

    @Test
    void completesCommands() throws Exception {
        assertThat(completions("ev")).containsExactly("eval");
        assertThat(completions("bench", "e")).containsExactly("e2e");
        assertThat(completions("")).contains("run", "tokenize", "completion");
        assertThat(completions("--ver")).containsExactly("--version");
    }

    @Test
    void completesOptionsAndTheirValues() throws Exception {
        assertThat(completions("run", "--max")).containsExactly("--max-new-tokens");
        assertThat(completions("run", "--method", "f")).containsExactly("full");
        assertThat(completions("eval", "--worker")).as("less what is hidden").containsExactly("--workers");
    }

    @Test
    void refusesAShellItDoesNotKnow() {
        shadowkv("completion", "fish").refused(2, "expected one of [bash, zsh]", "'fish'");
        shadowkv("completion").refused(2, "Missing required parameter: 'SHELL'");
        assertThat(shadowkv("completion", "zsh").succeeded().out()).contains("for zsh", "bashcompinit");
    }
}
