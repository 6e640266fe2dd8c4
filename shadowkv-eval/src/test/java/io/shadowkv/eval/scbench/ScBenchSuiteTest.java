package io.shadowkv.eval.scbench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Contexts;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.infinitebench.PublishedRows;
import io.shadowkv.eval.text.JsonRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ScBenchSuiteTest {
    private static final int ROOMY = 100_000;

    @TempDir
    Path folder;

    /// The output of the scripts' functions for rows in the published layout.
    static Stream<JsonRow> rows() {
        return PublishedRows.of(ScBenchSuiteTest.class, "prompts.jsonl");
    }

    private Sample sample(JsonRow fixture, String mode, TaskContext context) throws IOException {
        PublishedRows.publish(fixture, folder.resolve("scbench"));
        var task = new ScBenchSuite().open(fixture.text("task") + mode, context);
        assertThat(task.size()).isEqualTo(2);
        Sample sample = task.sample(1);
        assertThat(sample.task()).isEqualTo("scbench/" + fixture.text("task") + mode);
        assertThat(sample.index()).isEqualTo(1);
        return sample;
    }

    /// Each later turn of scbench_mf names its own number; in the script all name the last turn's.
    @ParameterizedTest
    @MethodSource("rows")
    void conversationsInAChatAreTheScripts(JsonRow fixture) throws IOException {
        TaskContext context = Contexts.chat(ROOMY, folder);
        Sample sample = sample(fixture, "", context);
        List<String> prompts = new ArrayList<>();
        for (Sample.Turn turn : sample.turns()) {
            prompts.add(context.format().wrap(turn.user()) + turn.answerPrefix());
        }
        List<String> expected = fixture.texts("chat");
        if (fixture.text("task").equals("scbench_mf")) {
            expected.replaceAll(prompt -> prompt.contains("The median number of")
                    ? prompt.replace("What is the smallest number", "What is the median number")
                    : prompt);
        }
        assertThat(prompts).isEqualTo(expected);
        check(sample.turns(), fixture);
        assertThat(sample.history()).isEqualTo(Sample.History.RIGHT_ANSWERS);
        Sample own = sample(fixture, "@own", context);
        assertThat(own.turns().stream().map(Sample.Turn::user))
                .isEqualTo(sample.turns().stream().map(Sample.Turn::user).toList());
        assertThat(own.history()).isEqualTo(Sample.History.CONVERSATION);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void plainConversationsAreTheScriptsWithTwoLineBreaksBetween(JsonRow fixture) throws IOException {
        Sample sample = sample(fixture, "", Contexts.plain(ROOMY, folder));
        List<String> expected = fixture.texts("plain");
        for (int i = 0; i < expected.size(); i++) {
            // `multiturn_follow_up_templates`, which the script uses with right answers between
            // turns.
            String after = i == 0
                    ? expected.get(i)
                    : expected.get(i)
                            .replace("\n\nThe the correct answer is", "\n\nThe letter of the correct answer is");
            assertThat(sample.turns().get(i).user()).isEqualTo((i == 0 ? "" : "\n") + after);
            assertThat(sample.turns().get(i).answerPrefix()).isEmpty();
        }
        check(sample.turns(), fixture);
    }

    /// The end of sequence followed by the question, as the script's vLLM path joins them.
    @ParameterizedTest
    @MethodSource("rows")
    void plainConversationsOfOwnAnswersHaveTheEndOfSequenceBetween(JsonRow fixture) throws IOException {
        TaskContext plain = Contexts.plain(ROOMY, folder);
        var context = new TaskContext(
                plain.tokenizer(), plain.format(), plain.contextTokens(), plain.seed(), plain.options(), "</s>");
        Sample sample = sample(fixture, "@own", context);
        List<String> expected = fixture.texts("plain");
        for (int i = 0; i < expected.size(); i++) {
            assertThat(sample.turns().get(i).user()).isEqualTo((i == 0 ? "" : "</s>") + expected.get(i));
        }
        assertThat(sample.wrapping()).isEqualTo(Sample.Wrapping.NONE);
        assertThat(sample.history()).isEqualTo(Sample.History.CONVERSATION);
        assertThat(sample(fixture, "@own", plain).turns().get(1).user()).isEqualTo("\n\n" + expected.get(1));
    }

    /// The whole question of the second turn; in the other modes it has the first turn's wording.
    @Test
    void theFollowUpOfChoicesAsksForTheLetter() throws IOException {
        JsonRow fixture = rows().filter(row -> row.text("task").equals("scbench_choice_eng"))
                .findFirst()
                .orElseThrow();
        assertThat(sample(fixture, "", Contexts.plain(ROOMY, folder))
                        .turns()
                        .get(1)
                        .user())
                .isEqualTo("\nQuestion: When?\nA. x\nB. y\nC. z\nD. w\n\nThe letter of the correct answer is");
        for (Sample other : List.of(
                sample(fixture, "", Contexts.chat(ROOMY, folder)),
                sample(fixture, "@own", Contexts.plain(ROOMY, folder)),
                sample(fixture, "@shared", Contexts.plain(ROOMY, folder)))) {
            assertThat(other.turns().getLast().user()).endsWith("D. w\n\nThe the correct answer is");
        }
    }

    /// The output of the scripts with right answers between turns: `str.format` of a list prints it
    /// as Python does.
    @Test
    void severalRightAnswersAreWrittenAsPythonPrintsThem() throws IOException {
        Files.createDirectories(folder.resolve("scbench"));
        Files.writeString(folder.resolve("scbench/scbench_vt.jsonl"), """
                {"input": "t", "multi_turns": [{"input": "i", "answer": ["A1", "it's"]}, {"input": "j", "answer": ["C3"]}]}
                """);
        Sample sample = new ScBenchSuite()
                .open("scbench_vt", Contexts.plain(ROOMY, folder))
                .sample(0);
        assertThat(sample.turns()).extracting(Sample.Turn::rightAnswer).containsExactly("['A1', \"it's\"]", "['C3']");
    }

    @Test
    void aListOfSomethingElseIsNamed() throws IOException {
        Files.createDirectories(folder.resolve("scbench"));
        Files.writeString(folder.resolve("scbench/scbench_mf.jsonl"), """
                {"context": [1, {}], "multi_turns": [{"input": "The largest number is:", "answer": 1}]}
                """);
        var task = new ScBenchSuite().open("scbench_mf", Contexts.plain(ROOMY, folder));
        assertThatThrownBy(() -> task.sample(0))
                .hasMessageContaining(
                        "line 1: the list \"context\" has a JSON OBJECT in it; expected whole numbers or strings");
    }

    /// The script iterates over a string label's characters; its score is the second metric.
    @Test
    void stringLabelsHaveTheScriptsScoreToo() throws IOException {
        for (String task : List.of("scbench_many_shot", "scbench_qa_chn")) {
            JsonRow fixture = rows().filter(row -> row.text("task").equals(task))
                    .findFirst()
                    .orElseThrow();
            Sample.Turn turn =
                    sample(fixture, "", Contexts.chat(ROOMY, folder)).turns().getFirst();
            String name = task.equals("scbench_qa_chn") ? "longbook_qa_chn" : "longdialogue_qa_eng";
            assertThat(turn.metrics()).extracting(Metric::name).containsExactly(name + ":whole_label", name);
        }
        Files.writeString(folder.resolve("scbench/scbench_many_shot.jsonl"), """
                {"context": "c", "multi_turns": [{"input": "i", "answer": ["(A)"]}]}
                """);
        var listed = new ScBenchSuite().open("scbench_many_shot", Contexts.chat(ROOMY, folder));
        assertThat(listed.sample(0).turns().getFirst().metrics())
                .extracting(Metric::name)
                .containsExactly("longdialogue_qa_eng");
    }

    @ParameterizedTest
    @MethodSource("rows")
    void questionsOnASharedTextAreTheScripts(JsonRow fixture) throws IOException {
        for (TaskContext context : List.of(Contexts.chat(ROOMY, folder), Contexts.plain(ROOMY, folder))) {
            Sample sample = sample(fixture, "@shared", context);
            assertThat(sample.turns().stream().map(Sample.Turn::user)).isEqualTo(fixture.texts("shared"));
            assertThat(sample.history()).isEqualTo(Sample.History.SHARED_CONTEXT);
            Sample.Turn text = sample.turns().getFirst();
            assertThat(text.references()).isEmpty();
            assertThat(text.metrics()).isEmpty();
            check(sample.turns().subList(1, sample.turns().size()), fixture);
        }
    }

    private static void check(List<Sample.Turn> turns, JsonRow fixture) {
        var references = fixture.fields().get("references");
        assertThat(turns).hasSize(references.size()).hasSizeBetween(2, 5);
        for (int i = 0; i < turns.size(); i++) {
            Sample.Turn turn = turns.get(i);
            List<String> expected = new ArrayList<>();
            references.get(i).forEach(each -> expected.add(each.stringValue()));
            assertThat(turn.references()).isEqualTo(expected);
            assertThat(turn.maxNewTokens())
                    .isEqualTo(Integer.parseInt(fixture.texts("new_tokens").get(i)));
            boolean hasStringLabels =
                    List.of("scbench_many_shot", "scbench_qa_chn").contains(fixture.text("task"));
            assertThat(turn.metrics()).hasSize(hasStringLabels ? 2 : 1);
            var metric = turn.metrics().getFirst();
            assertThat(metric.score(String.join(" ", turn.references()), turn.references()))
                    .isEqualTo(fixture.text("task").equals("scbench_choice_eng") ? choice(expected) : 1.0);
            assertThat(metric.score("none of them", turn.references())).isZero();
        }
    }

    /// "Snowfield C" is not an option, and a letter of an option is only at its end.
    private static double choice(List<String> references) {
        return references.contains("C") || references.contains("D") ? 1 : 0;
    }

    @Test
    void partsOfMixedTasksHaveTheirOwnMetrics() throws IOException {
        JsonRow fixture = rows().filter(row -> row.text("task").equals("scbench_repoqa_and_kv"))
                .findFirst()
                .orElseThrow();
        Sample sample = sample(fixture, "", Contexts.chat(ROOMY, folder));
        assertThat(sample.turns().stream().map(turn -> turn.metrics().getFirst().name()))
                .containsExactly("repoqa_pass@1_0.8", "kv_retrieval");
    }

    @Test
    void conversationsFitTogetherAndSharedQuestionsEach() throws IOException {
        Files.createDirectories(folder.resolve("scbench"));
        String text = "begin " + "word ".repeat(3000) + "end";
        String turn = "{\"input\": \"" + "why ".repeat(20) + "\", \"answer\": \"v\"}";
        Files.writeString(
                folder.resolve("scbench/scbench_kv.jsonl"),
                "{\"context\": \"" + text + "\", \"multi_turns\": [" + turn + ", " + turn + ", " + turn + "]}");
        for (TaskContext context : List.of(Contexts.chat(2000, folder), Contexts.plain(2000, folder))) {
            Sample talk = new ScBenchSuite().open("scbench_kv@own", context).sample(0);
            int tokens = 0;
            for (Sample.Turn asked : talk.turns()) {
                tokens += context.format().turn(asked, tokens == 0 ? -1 : 1 << 30).length + 150;
            }
            assertThat(tokens).isBetween(1996, 2000);
            assertThat(talk.turns().getFirst().user())
                    .startsWith("Extract the value")
                    .contains("begin word")
                    .contains("word end\n\nwhy why");
            Sample answered = new ScBenchSuite().open("scbench_kv", context).sample(0);
            int whole = 0;
            for (Sample.Turn asked : answered.turns()) {
                assertThat(asked.rightAnswer()).isEqualTo("v");
                whole += context.format().turn(asked, whole == 0 ? -1 : 1 << 30).length;
            }
            assertThat(whole + 2 + 150).isBetween(1996, 2000);
            Sample shared =
                    new ScBenchSuite().open("scbench_kv@shared", context).sample(0);
            String words = shared.turns().getFirst().user();
            assertThat(words).startsWith("Extract the value").endsWith("word end");
            String question = shared.turns().get(1).user();
            assertThat(context.format().first(words + question, "").length + 150)
                    .isBetween(1980, 2000);
            assertThat(shared.labels()).containsEntry("truncated", "true");
        }
        var tiny = new ScBenchSuite().open("scbench_kv@own", Contexts.chat(500, folder));
        assertThatThrownBy(() -> tiny.sample(0))
                .hasMessageContaining("scbench/scbench_kv@own, sample 0 leaves 0 tokens");
    }

    @Test
    void theCatalogKnowsTheModesOfEveryFile() {
        assertThat(TaskCatalog.names(List.of("scbench"))).hasSize(36);
        assertThat(TaskCatalog.names(List.of("scbench/scbench_kv", "scbench/scbench_kv@shared")))
                .containsExactly("scbench/scbench_kv", "scbench/scbench_kv@shared");
    }

    @Test
    void aFileOfAnotherKindIsNamed() throws IOException {
        Files.createDirectories(folder.resolve("scbench"));
        Files.writeString(folder.resolve("scbench/scbench_summary_with_needles.jsonl"), """
                {"context": "c", "multi_turns": [{"input": "i", "answer": "a", "task": "scbench_judged"}]}
                {"context": "c", "multi_turns": []}
                """);
        var task = new ScBenchSuite().open("scbench_summary_with_needles", Contexts.plain(ROOMY, folder));
        assertThatThrownBy(() -> task.sample(0)).hasMessageContaining("no metric for a turn of \"scbench_judged\"");
        assertThatThrownBy(() -> task.sample(1)).hasMessageContaining("line 2: \"multi_turns\" is not a list");
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> new ScBenchSuite().open("scbench_vt@shared", Contexts.plain(1000, folder)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("scbench/scbench_vt@shared reads")
                .hasMessageContaining(
                        folder.resolve("scbench").resolve("scbench_vt.jsonl").toString());
    }
}
