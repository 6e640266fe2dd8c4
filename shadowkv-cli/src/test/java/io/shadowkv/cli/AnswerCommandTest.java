package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.rows.RowAnswer;
import io.shadowkv.eval.rows.RowQuestion;
import io.shadowkv.eval.rows.RowWorker;
import io.shadowkv.eval.worker.WorkerCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `answer`: rows in, one line for each out.
class AnswerCommandTest {
    private static final String QUESTION =
            "What is the special magic number for posh-cuff mentioned in the provided text?";

    @TempDir
    Path folder;

    private String document;

    @BeforeEach
    void readDocument() throws IOException {
        String whole = Files.readString(Fixtures.repository().resolve("examples/needle.txt"));
        document = whole.substring(0, whole.indexOf("What is the special")).strip();
    }

    private static ObjectNode row(Object key, String question) {
        return JsonMapper.shared().createObjectNode().putPOJO("key", key).put("question", question);
    }

    private static Map<String, JsonNode> byKey(String out) {
        return out.lines()
                .map(JsonMapper.shared()::readTree)
                .collect(Collectors.toMap(line -> line.path("key").toString(), Function.identity()));
    }

    @Test
    void rowsOfADocumentShareItAndAProblemOfARowIsItsOwn() {
        String rows = row("a", QUESTION).put("document", document) + "\n\n"
                + row(2, QUESTION).set("options", JsonMapper.shared().readTree("{\"max_tokens\": 3}")) + "\n"
                + row(3, QUESTION).put("options", "{\"beams\": 3}") + "\n"
                + row(4, " ") + "\n"
                + row(5, QUESTION).put("document", "word ".repeat(40_000)) + "\n"
                + row(6, QUESTION) + "\n"
                + row(7, QUESTION).put("document", document) + "\n";
        Shell.Result result = new Shell().typing(rows).run("answer", "needle-32k", "--backend", "cpu", "--batch", 2);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("3 rows have an answer, 4 an error").doesNotContain("\tat ");
        Map<String, JsonNode> lines = byKey(result.out());
        assertThat(lines).hasSize(7);
        JsonNode first = lines.get("\"a\"");
        assertThat(first.path("answer").stringValue()).contains("2320935");
        assertThat(first.path("cached_tokens").intValue()).isGreaterThan(500);
        assertThat(lines.get("7").path("answer")).isEqualTo(first.path("answer"));
        assertThat(lines.get("2").path("new_tokens").intValue()).isEqualTo(3);
        assertThat(lines.get("2").path("finish").stringValue()).isEqualTo("length");
        assertThat(lines.get("2").path("cached_tokens")).isEqualTo(first.path("cached_tokens"));
        assertThat(lines.get("3").path("error").stringValue())
                .contains("unknown name \"beams\"; known are max_tokens, ");
        assertThat(lines.get("4").path("error").stringValue()).contains("the question is empty");
        assertThat(lines.get("5").path("error").stringValue()).contains("context");
        assertThat(lines.get("6").path("error")).isEqualTo(lines.get("5").path("error"));
    }

    /// What the tasks of a cluster do: a process that answers rows and ends with its input.
    @Test
    void aWorkerAnswersAnotherProcess() {
        List<String> command = new ArrayList<>(Shell.SELF);
        command.addAll(List.of("answer", "needle-32k", "--worker", "--backend", "cpu", "--threads", "1"));
        var start = new WorkerCommand("worker", command, Duration.ofMinutes(2));
        try (RowWorker worker = RowWorker.start(start, _ -> {}, () -> false)) {
            worker.ask(new RowQuestion("0", document, QUESTION, "{\"max_tokens\": 2}"));
            worker.ask(new RowQuestion("1", document, QUESTION, "{\"max_tokens\": 2}"));
            worker.ask(new RowQuestion("2", document, "", null));
            Map<String, RowAnswer> answers = Stream.generate(worker::next)
                    .limit(3)
                    .collect(Collectors.toMap(RowAnswer::key, Function.identity()));
            assertThat(answers.get("2").error()).contains("the question is empty");
            assertThat(answers.get("1").newTokens()).isEqualTo(2);
            assertThat(answers.get("1").answer()).isEqualTo(answers.get("0").answer());
            assertThat(answers.get("1").cachedTokens()).isGreaterThan(500);
        }
    }

    @Test
    void aLineThatIsNotARowIsNamed() throws IOException {
        Path file = folder.resolve("rows.jsonl");
        Files.writeString(file, row(1, QUESTION) + "\n");
        shadowkv("answer", "needle-32k", file)
                .refused(1, "line 1: the first row has no \"document\"; only rows after another one can leave it out");
        Files.writeString(file, "\n{\"key\": 1, \"docment\": \"A\"}\n");
        shadowkv("answer", "needle-32k", file)
                .refused(1, "line 2: the row has the unknown field \"docment\"; expected {\"key\": ...");
        Files.writeString(file, "{\"document\": \"A\", \"question\": \"B\"}\n");
        shadowkv("answer", "needle-32k", file).refused(1, "line 1: the row's key is missing; give a text");
        Files.writeString(file, "key,document\n");
        shadowkv("answer", "needle-32k", file).refused(1, "line 1: \"key,document\" is not JSON");
        shadowkv("answer", "needle-32k", folder).refused(1, folder + ": is a folder");
        shadowkv("answer", "needle-32k", folder.resolve("none")).refused(1, folder.resolve("none") + ": no such file");
        new Shell().atTerminal().run("answer", "needle-32k").refused(2, "no rows given; give the name of a file");
        shadowkv("answer", "needle-32k", file, "--batch", 0).refused(2, "batch");
    }
}
