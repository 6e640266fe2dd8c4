package io.shadowkv.eval.infinitebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Contexts;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptCut;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.text.JsonRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class InfiniteBenchSuiteTest {
    private static final int ROOMY = 100_000;
    private static final Map<String, String> RIGHT = Map.ofEntries(
            Map.entry("passkey", "71432."),
            Map.entry("number_string", "It is 3000077442"),
            Map.entry("kv_retrieval", "\"b\""),
            Map.entry("longbook_sum_eng", "A short tale."),
            Map.entry("longbook_choice_eng", "C"),
            Map.entry("longbook_qa_eng", "Cael"),
            Map.entry("longbook_qa_chn", "胡一刀。"),
            Map.entry("longdialogue_qa_eng", "Ace"),
            Map.entry("math_find", "88"),
            Map.entry("math_calc", "[19, 29, 0]"),
            Map.entry("code_run", "-4"),
            Map.entry("code_debug", "B."));

    @TempDir
    Path folder;

    /// The output of the script's `create_prompt` for rows in the published layout.
    static Stream<JsonRow> rows() {
        return PublishedRows.of(InfiniteBenchSuiteTest.class, "prompts.jsonl");
    }

    private Sample sample(JsonRow fixture, TaskContext context, int index) throws IOException {
        PublishedRows.publish(fixture, folder.resolve("infinitebench"));
        var task = new InfiniteBenchSuite().open(fixture.text("task"), context);
        assertThat(task.size()).isEqualTo(2);
        return task.sample(index);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void promptsEqualTheScripts(JsonRow fixture) throws IOException {
        for (boolean isChat : new boolean[] {true, false}) {
            TaskContext context = isChat ? Contexts.chat(ROOMY, folder) : Contexts.plain(ROOMY, folder);
            Sample sample = sample(fixture, context, 1);
            Sample.Turn turn = sample.turns().getFirst();
            assertThat(sample.turns()).hasSize(1);
            assertThat(sample.task()).isEqualTo("infinitebench/" + fixture.text("task"));
            assertThat(sample.index()).isEqualTo(1);
            assertThat(sample.labels()).containsEntry("truncated", "false").containsKey("id");
            assertThat(turn.user()).isEqualTo(fixture.text(isChat ? "chat" : "continuation"));
            assertThat(turn.answerPrefix()).isEmpty();
            assertThat(turn.references()).isEqualTo(fixture.texts("references"));
            int published = Integer.parseInt(fixture.text("new_tokens"));
            assertThat(turn.maxNewTokens())
                    .isEqualTo(
                            !isChat
                                    ? published
                                    : Math.max(published, fixture.text("task").startsWith("code_") ? 1024 : 64));
        }
    }

    /// Hashes of the output of the paper's `infini_bench_create_prompt` with its own templates for
    /// the same rows.
    @ParameterizedTest
    @CsvSource({
        "passkey, 886dcb5e26307c44",
        "number_string, 244f41f60ca80e42",
        "kv_retrieval, 16ce84e5cbc2d173",
        "longbook_sum_eng, f79d6a0bcec93f59",
        "longbook_choice_eng, 86fb47945d3dc31b",
        "longbook_qa_eng, b5da5f85ab8b231b",
        "longbook_qa_chn, df70c23f3651435c",
        "longdialogue_qa_eng, 1081069f922a9d36",
        "math_find, 574a316819c9441f",
        "code_run, 42503675c4aa9d10",
        "code_debug, f57e445833ee6f56"
    })
    void promptsOfThePaperEqualItsCode(String task, String sum) throws Exception {
        JsonRow fixture =
                rows().filter(row -> row.text("task").equals(task)).findFirst().orElseThrow();
        for (TaskContext context : List.of(Contexts.chat(ROOMY, folder), Contexts.plain(ROOMY, folder))) {
            Sample sample = sample(fixture, papers(context), 1);
            String user = sample.turns().getFirst().user();
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(user.getBytes(StandardCharsets.UTF_8));
            assertThat(HexFormat.of().formatHex(digest, 0, 8)).as(user).isEqualTo(sum);
            assertThat(sample.labels()).containsEntry("prompts", "shadowkv");
        }
    }

    private static TaskContext papers(TaskContext context) {
        var rules = new TaskContext.FileRules(0, PromptVersion.SHADOWKV, PromptCut.TO_LENGTH);
        return new TaskContext(
                context.tokenizer(),
                context.format(),
                context.contextTokens(),
                context.seed(),
                context.options().withFiles(rules));
    }

    @Test
    void thePaperHasNoPromptForMathCalc() throws IOException {
        JsonRow fixture = rows().filter(row -> row.text("task").equals("math_calc"))
                .findFirst()
                .orElseThrow();
        assertThatThrownBy(() -> sample(fixture, papers(Contexts.chat(ROOMY, folder)), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("math_calc: the paper's code has no prompt for it");
    }

    @ParameterizedTest
    @MethodSource("rows")
    void theMetricTellsRightFromWrong(JsonRow fixture) throws IOException {
        Sample.Turn turn =
                sample(fixture, Contexts.plain(ROOMY, folder), 0).turns().getFirst();
        Metric metric = turn.metrics().getFirst();
        assertThat(metric.score(RIGHT.get(fixture.text("task")), turn.references()))
                .isEqualTo(1);
        assertThat(metric.score("nothing 1 of that", turn.references())).isZero();
        assertThat(metric.score("", turn.references())).isZero();
    }

    @Test
    void gpt4sPromptOfMathCalcHasItsMetric() throws IOException {
        JsonRow fixture = rows().filter(row -> row.text("task").equals("math_calc"))
                .findFirst()
                .orElseThrow();
        Sample.Turn turn =
                sample(fixture, Contexts.chat(1000, folder), 0).turns().getFirst();
        assertThat(turn.metrics().getFirst().score("[1, 19, 29, 0]", turn.references()))
                .isEqualTo(1);
        assertThat(turn.maxNewTokens()).isEqualTo(500);
    }

    @Test
    void longTextsLoseTheirMiddle() throws IOException {
        Files.createDirectories(folder.resolve("infinitebench"));
        String context = "begin " + "word ".repeat(3000) + "end";
        Files.writeString(
                folder.resolve("infinitebench/passkey.jsonl"),
                "{\"context\": \"" + context + "\", \"input\": \"What is the pass key?\", \"answer\": \"71432\"}\n");
        for (TaskContext room : List.of(Contexts.plain(1000, folder), Contexts.chat(1000, folder))) {
            Sample sample = new InfiniteBenchSuite().open("passkey", room).sample(0);
            Sample.Turn turn = sample.turns().getFirst();
            assertThat(turn.user())
                    .startsWith("There is an important info hidden")
                    .contains("begin word")
                    .contains("word end\n\nWhat is the pass key?");
            int tokens = room.format().first(turn.user(), "").length + turn.maxNewTokens();
            assertThat(tokens).isBetween(997, 1000);
            assertThat(sample.labels()).containsEntry("id", "0").containsEntry("truncated", "true");
            assertThat(sample.labels().get("prompts")).isEqualTo(room.format().wrapsWords() ? "chat" : null);
        }
        var tiny = new InfiniteBenchSuite().open("passkey", Contexts.chat(70, folder));
        assertThatThrownBy(() -> tiny.sample(0))
                .hasMessageContaining("infinitebench/passkey, sample 0 leaves 6 tokens");
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> new InfiniteBenchSuite().open("code_run", Contexts.plain(1000, folder)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("infinitebench/code_run reads")
                .hasMessageContaining(folder.resolve("infinitebench")
                        .resolve("code_run.jsonl")
                        .toString())
                .hasMessageContaining("InfiniteBench's published code_run.jsonl");
    }

    @Test
    void aRowThatIsNotAsPublishedIsNamed() throws IOException {
        Files.createDirectories(folder.resolve("infinitebench"));
        Files.writeString(folder.resolve("infinitebench/code_debug.jsonl"), """
                {"context": "c", "input": "i", "answer": ["x"], "options": ["a", "b", "c", "d"]}
                {"context": "c", "input": "i", "answer": ["a"], "options": ["a"]}
                {"context": "c", "input": "i", "answer": ["a", "C"], "options": ["a", "b", "a", "d"]}
                """);
        var task = new InfiniteBenchSuite().open("code_debug", Contexts.plain(ROOMY, folder));
        assertThatThrownBy(() -> task.sample(0))
                .hasMessageContaining("line 1: the answer [x] is not one of the options");
        assertThatThrownBy(() -> task.sample(1)).hasMessageContaining("line 2: has 1 options; expected 4");
        assertThat(task.sample(2).turns().getFirst().references()).containsExactly("a", "C");
    }
}
