package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// Tests the note for prompts that the bundled model was not trained for.
class BundledWordingTest {
    private static final String NOTE = "answers only the questions of RULER's tasks";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"full", "shadowkv"})
    void theExampleIsAnsweredRight(String method) throws IOException {
        Path example = Fixtures.repository().resolve("examples/needle.txt");
        String text = Files.readString(example);
        String key = group("special magic number for (\\S+) mentioned", text);
        String value = group("magic numbers for " + key + " is: (\\d{7})\\.", text.replace('\n', ' '));
        Shell.Result result = shadowkv("run", "needle-32k", "--file", example, "--method", method)
                .succeeded();
        assertThat(result.out()).contains(value);
        assertThat(result.err()).doesNotContain(NOTE);
    }

    private static String group(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group(1);
    }

    /// Every task that the model was trained on, in the wording of both versions.
    @ParameterizedTest
    @ValueSource(strings = {"nvidia", "shadowkv"})
    void everyTaskOfRulerIsKnown(String version) throws IOException {
        shadowkv(
                        "ruler",
                        "build",
                        "--length",
                        "2k",
                        "--samples",
                        1,
                        "--tasks",
                        "niah_*,vt,cwe,fwe",
                        "--ruler-version",
                        version,
                        "--out",
                        folder)
                .succeeded();
        List<String> tasks = Shell.names(folder).stream()
                .filter(name -> !name.endsWith(".json"))
                .toList();
        assertThat(tasks).hasSize(11);
        for (String task : tasks) {
            String row = Files.readString(folder.resolve(task).resolve("validation.jsonl"));
            String prompt = JsonMapper.shared().readTree(row).get("input").asString();
            Path file = Files.writeString(folder.resolve("prompt.json"), prompt);
            // The note is printed before the prompt is read.
            assertThat(new Shell()
                            .cancelled()
                            .run("run", "needle-32k", "--file", file)
                            .err())
                    .as(task)
                    .contains("interrupted while reading")
                    .doesNotContain(NOTE);
        }
    }

    @Test
    void anotherPromptGetsANoteAndAShortAnswer() {
        Shell.Result result = shadowkv("run", "needle-32k", "hello").succeeded();
        assertThat(result.out()).hasLineCount(1);
        assertThat(result.err())
                .contains("needle-32k " + NOTE, "examples/needle.txt", "first line break or after 32 tokens (-n)");
        assertThat(shadowkv("run", Fixtures.needleModel(), "Once upon a time", "--json")
                        .json()
                        .get("generated_tokens")
                        .asInt())
                .isBetween(1, 32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-n 40", "--ignore-eos -n 40", "--stop never -n 40"})
    void whoSaysHowLongTheAnswerIsGetsIt(String options) {
        Shell.Result result = shadowkv((Object[]) ("run needle-32k hello --json " + options).split(" "));
        assertThat(result.json().get("generated_tokens").asInt()).isEqualTo(40);
        assertThat(result.err()).contains(NOTE).doesNotContain("32 tokens");
    }

    @Test
    void aChatIsToldOnce() {
        Shell.Result result = new Shell()
                .typing("hello\nthere\n")
                .run("run", "needle-32k", "--chat")
                .succeeded();
        assertThat(result.out()).hasLineCount(2);
        assertThat(result.err()).containsOnlyOnce(NOTE);
    }

    @Test
    void otherModelsAnswerAsTheyLike() {
        Path copy = Shell.copy(Fixtures.needleModel(), folder.resolve("needle-32k"));
        Shell.Result result = shadowkv("run", copy, "hello", "--json");
        assertThat(result.json().get("generated_tokens").asInt()).isGreaterThan(32);
        assertThat(result.err()).doesNotContain(NOTE);
    }
}
