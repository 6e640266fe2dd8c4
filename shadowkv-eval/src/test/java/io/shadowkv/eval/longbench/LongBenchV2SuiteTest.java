package io.shadowkv.eval.longbench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptCut;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.metric.LongBenchMetrics;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/// Uses invented questions in the published layout.
final class LongBenchV2SuiteTest {
    private static Tokenizer tokenizer;

    @TempDir
    Path data;

    private final ArrayNode questions = JsonMapper.shared().createArrayNode();

    @BeforeAll
    static void open() {
        tokenizer = Tokenizers.open(Fixtures.needleModel());
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    @Test
    void asksAsTheOfficialScript() throws IOException {
        add("a1", "short", "easy", " A text – with “{\"quotes\": [1]}” and 漢字.\n", "Why? ");
        add("a2", "long", "hard", "Another text.", "How?");
        add("a3", "short", "hard", "A third.", "When?");
        for (boolean isPretty : new boolean[] {false, true}) {
            write(isPretty ? questions.toPrettyString() : questions.toString());
            EvalTask task = task("short", 4096);
            assertThat(task.size()).isEqualTo(2);
            Sample sample = task.sample(0);
            Sample.Turn turn = sample.turns().getFirst();
            assertThat(turn.user()).isEqualTo("""
                            Please read the following text and answer the question below.

                            <text>
                            A text – with “{"quotes": [1]}” and 漢字.
                            </text>

                            What is the correct answer to this question: Why?
                            Choices:
                            (A) one
                            (B) two
                            (C) three
                            (D) four

                            Format your response as follows: "The correct answer is (insert answer here)".""");
            assertThat(turn.maxNewTokens()).isEqualTo(128);
            assertThat(turn.references()).containsExactly("C");
            assertThat(turn.metrics()).extracting(Metric::name).containsExactly("accuracy");
            assertThat(sample.wrapping()).isEqualTo(Sample.Wrapping.CHAT);
            assertThat(sample.labels())
                    .isEqualTo(Map.of(
                            "id",
                            "a1",
                            "length",
                            "short",
                            "difficulty",
                            "easy",
                            "domain",
                            "Single-Document QA",
                            "truncated",
                            "false"));
            assertThat(task.sample(1).turns().getFirst().question()).isEqualTo("When?");
            assertThat(task("long", 4096).sample(0).turns().getFirst().question())
                    .isEqualTo("How?");
        }
    }

    /// `0shot_cot.txt` and `0shot_cot_ans.txt`; the model's reasoning replaces the remaining
    /// placeholder.
    @Test
    void asksForReasoningFirst() throws IOException {
        add("a1", "short", "easy", " A text.\n", "Why? ");
        write(questions.toString());
        Sample sample = TaskCatalog.open("longbench-v2-cot/short", context(4096, PromptCut.TO_LENGTH))
                .sample(0);
        assertThat(sample.task()).isEqualTo("longbench-v2-cot/short");
        assertThat(sample.history()).isEqualTo(Sample.History.QUOTED_ANSWER);
        assertThat(sample.turns()).hasSize(2);
        Sample.Turn thoughts = sample.turns().getFirst();
        assertThat(thoughts.user()).isEqualTo("""
                        Please read the following text and answer the questions below.

                        <text>
                        A text.
                        </text>

                        What is the correct answer to this question: Why?
                        Choices:
                        (A) one
                        (B) two
                        (C) three
                        (D) four

                        Let’s think step by step:""");
        assertThat(thoughts.maxNewTokens()).isEqualTo(1024);
        assertThat(thoughts.metrics()).isEmpty();
        Sample.Turn conclusion = sample.turns().getLast();
        assertThat(conclusion.user()).isEqualTo("""
                        Please read the following text and answer the questions below.

                        The text is too long and omitted here.

                        What is the correct answer to this question: Why?
                        Choices:
                        (A) one
                        (B) two
                        (C) three
                        (D) four

                        Let’s think step by step: $COT$

                        Based on the above, what is the single, most likely answer choice? Format your response as follows: "The correct answer is (insert answer here)".""");
        assertThat(conclusion.maxNewTokens()).isEqualTo(128);
        assertThat(conclusion.references()).containsExactly("C");
        assertThat(conclusion.metrics()).extracting(Metric::name).containsExactly("accuracy");
        assertThat(TaskCatalog.names(List.of("longbench-v2-cot"))).hasSize(3);
    }

    @Test
    void cutsToTheOfficialLimit() throws IOException {
        String words = IntStream.range(0, 40_000).mapToObj(Integer::toString).collect(Collectors.joining(" "));
        add("a1", "long", "hard", words, "Why?");
        write(questions.toString());
        for (String suite : List.of("longbench-v2", "longbench-v2-cot")) {
            Sample sample = TaskCatalog.open(suite + "/long", context(131_072, PromptCut.OFFICIAL))
                    .sample(0);
            String user = sample.turns().getFirst().user();
            assertThat(tokenizer.encodeAsText(user).length).isBetween(119_990, 120_000);
            assertThat(sample.labels()).containsEntry("truncated", "true").containsEntry("cut", "120000");
            assertThatThrownBy(() -> TaskCatalog.open(suite + "/long", context(120_100, PromptCut.OFFICIAL)))
                    .hasMessageContaining(suite + "/long: prompts of 120,000 tokens");
        }
    }

    @Test
    void cutsInTheMiddle() throws IOException {
        String words = IntStream.range(0, 3000).mapToObj(Integer::toString).collect(Collectors.joining(" "));
        add("a1", "medium", "hard", words, "Why?");
        write(questions.toString());
        Sample sample = task("medium", 1000).sample(0);
        String user = sample.turns().getFirst().user();
        assertThat(user)
                .startsWith("Please read the following text and answer the question below.\n\n<text>\n0 1 2 3 ")
                .contains(" 2998 2999\n</text>\n\nWhat is the correct answer to this question: Why?")
                .endsWith("(insert answer here)\".")
                .doesNotContain(" 1500 ");
        assertThat(PromptFormat.plain(tokenizer).first(user, "").length + 128).isBetween(998, 1000);
        assertThat(sample.labels()).containsEntry("truncated", "true");
    }

    @Test
    void everyQuestionIsAskedOnce() {
        assertThat(TaskCatalog.names(List.of("longbench-v2")))
                .containsExactly("longbench-v2/short", "longbench-v2/medium", "longbench-v2/long");
    }

    @ParameterizedTest
    @CsvSource({
        "The correct answer is (B)., B",
        "**The correct answer is (C)**, C",
        "I think: The correct answer is **D**, D",
        "The correct answer is A, A",
        "The correct answer is Apples. No: The correct answer is (B), B",
        "The correct answer is (A). Or: The correct answer is (B), A",
        "the correct answer is (A),",
        "The correct answer is (insert answer here): E,",
        "B,",
        "'',"
    })
    void findsTheLetter(String answer, String letter) {
        for (String reference : List.of("A", "B", "C", "D")) {
            assertThat(LongBenchMetrics.ACCURACY.score(answer, List.of(reference)))
                    .as(reference)
                    .isEqualTo(reference.equals(letter) ? 1 : 0);
        }
    }

    @Test
    void saysThatTheFileIsMissing() {
        assertThatThrownBy(() -> task("long", 4096))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("longbench-v2/long reads ")
                .hasMessageContaining(
                        data.resolve("longbench-v2").resolve("data.json").toString())
                .hasMessageContaining("LongBench v2's published data.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"length\": \"short\"}", "[{\"length\": \"short\"}, 3]", "[{\"length\": \"sh", ""})
    void saysThatTheFileIsAnother(String json) throws IOException {
        write(json);
        assertThatThrownBy(() -> task("short", 4096))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("data.json")
                .hasMessageContaining("Download the published file again");
    }

    @Test
    void saysThatNoQuestionHasTheLength() throws IOException {
        add("a1", "short", "hard", "Text.", "Why?");
        write(questions.toString());
        assertThatThrownBy(() -> task("long", 4096)).hasMessageContaining("none of the 1 questions");
    }

    private EvalTask task(String task, int contextTokens) {
        return TaskCatalog.open("longbench-v2/" + task, context(contextTokens, PromptCut.TO_LENGTH));
    }

    private TaskContext context(int contextTokens, PromptCut cut) {
        var rules = new TaskContext.FileRules(0, PromptVersion.OFFICIAL, cut);
        return new TaskContext(
                tokenizer,
                PromptFormat.plain(tokenizer),
                contextTokens,
                1,
                new TaskContext.Options("nvidia", null, data).withFiles(rules));
    }

    private void add(String id, String length, String difficulty, String context, String question) {
        questions
                .addObject()
                .put("_id", id)
                .put("domain", "Single-Document QA")
                .put("sub_domain", "Literary")
                .put("difficulty", difficulty)
                .put("length", length)
                .put("question", question)
                .put("choice_A", "one")
                .put("choice_B", "two\n")
                .put("choice_C", "three")
                .put("choice_D", "four")
                .put("answer", "C")
                .put("context", context);
    }

    private void write(String json) throws IOException {
        Path file = data.resolve("longbench-v2").resolve("data.json");
        Files.createDirectories(file.getParent());
        Files.writeString(file, json);
    }
}
