package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `eval` with rows in the published formats: tests what is asked and printed, and what may change
/// between two runs.
class EvalFilesTest {
    /// `Mira keeps the lamp`: two turns of scbench_choice_eng.
    private static final String CHOICES = """
            {"id": 0, "context": "Mira keeps the lamp. Joss keeps the oar.", "multi_turns": [\
            {"input": "Who keeps the lamp?", "answer": "Mira", "options": ["Joss", "Mira", "Orla", "Pim"]}, \
            {"input": "Who keeps the oar?", "answer": "Joss", "options": ["Joss", "Mira", "Orla", "Pim"]}]}
            """;

    @TempDir
    Path temporary;

    private Path out() {
        return temporary.resolve("results");
    }

    private Path write(String file, String rows) {
        try {
            Path path = temporary.resolve("data").resolve(file);
            Files.createDirectories(path.getParent());
            return Files.writeString(path, rows);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Object[] eval(String tasks, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "eval",
                "--data",
                tasks,
                "--data-dir",
                temporary.resolve("data"),
                "--method",
                "full",
                "--length",
                "4k",
                "--samples",
                "5",
                "--out",
                out()));
        arguments.addAll(List.of(more));
        return arguments.toArray();
    }

    private List<AnswerRecord> answers() {
        return List.copyOf(AnswerLog.read(out().resolve("answers.jsonl")));
    }

    private static String numbers(int from, int answer) {
        return "{\"id\": 0, \"context\": [%d, 8, 15], \"multi_turns\": [{\"input\": \"The largest number is:\", \"answer\": %d}]}\n"
                .formatted(from, answer);
    }

    /// The old answer is kept, and its description does not change.
    @Test
    void aRunIsNotResumedOnOtherRows() throws IOException {
        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(4, 15));
        shadowkv(eval("scbench/scbench_mf")).succeeded();
        String before = Files.readString(out().resolve("run.json"));
        assertThat(answers()).hasSize(2);

        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(5, 15));
        shadowkv(eval("scbench/scbench_mf"))
                .refused(
                        1,
                        "answers.jsonl has answers to other prompts than this command asks",
                        "sample 1 of scbench/scbench_mf had the prompt "
                                + answers().get(1).promptHash() + " and has ",
                        "1 of 2 samples differ",
                        "Give another folder");
        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(4, 8));
        shadowkv(eval("scbench/scbench_mf"))
                .refused(1, "sample 1 of scbench/scbench_mf had the right answers [15] and has [8] now");
        assertThat(out().resolve("run.json")).hasContent(before);

        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(4, 15) + numbers(5, 15));
        shadowkv(eval("scbench/scbench_mf")).succeeded();
        assertThat(answers()).hasSize(3);
    }

    /// What a Spark driver starts before it adds answers to a log: the run's own comparison, without an engine.
    @Test
    void aJobsCheckCommandComparesPromptsAndSettings() throws IOException {
        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(4, 15));
        shadowkv(eval("scbench/scbench_mf")).succeeded();
        Path log = out().resolve("answers.jsonl");
        shadowkv(eval("scbench/scbench_mf", "--job-dir", temporary.resolve("jobs")))
                .succeeded();
        EvalJob job = EvalJob.read(temporary.resolve("jobs").resolve("job-4096.json"));
        List<String> check = job.checkCommand();
        assertThat(check).endsWith("--compare-log").startsWith(job.command().getFirst(), "eval", "--data");
        Object[] command =
                Stream.concat(check.stream().skip(1), Stream.of(log.toString())).toArray();
        Shell.Result same = shadowkv(command).succeeded();
        assertThat(same.err()).doesNotContain("backend:");
        RunInfo run = RunFile.read(out().resolve("run.json"));
        assertThat(Objects.requireNonNull(job.run()).settings()).isEqualTo(run.settings());
        assertThat(job.run().command()).isEqualTo(run.command());

        write("scbench/scbench_mf.jsonl", numbers(3, 15) + numbers(5, 15));
        shadowkv(command).refused(1, log + " has answers to other prompts", "1 of 2 samples differ");
        assertThat(answers()).hasSize(2);
    }

    @Test
    void aRunIsNotResumedWithOtherWeights() throws IOException {
        Path model = Shell.copy(Fixtures.needleModel(), temporary.resolve("model"));
        Object[] command = {
            "eval",
            model,
            "--data",
            "ruler/niah_single_1",
            "--samples",
            1,
            "--method",
            "full",
            "--length",
            "1k",
            "--out",
            out()
        };
        shadowkv(command).succeeded();
        shadowkv(command).succeeded();
        String weights = RunFile.read(out().resolve("run.json")).settings().get("weights");
        assertThat(weights).matches("[0-9a-f]{16}");

        Path config = model.resolve("config.json");
        String text = Files.readString(config);
        Files.writeString(config, text.replace("32768", "32767"));
        shadowkv(command).refused(1, "made with other settings: config was ", ", is ");
        Files.writeString(config, text);

        Path shard = model.resolve("model-00002-of-00002.safetensors");
        byte[] bytes = Files.readAllBytes(shard);
        for (int i = bytes.length / 2; i < bytes.length; i += 2) {
            bytes[i] ^= 1;
        }
        Files.write(shard, bytes);
        shadowkv(command).refused(1, "made with other settings: weights was " + weights + ", is ");
    }

    @Test
    void rowsThatWereLeftOutAreCounted() throws IOException {
        Path files = temporary.resolve("files");
        Files.createDirectories(files.resolve("vt"));
        Files.writeString(files.resolve("vt/validation.jsonl"), """
                {"index": 0, "input": "The number of x0 is 12340. What is the number of x0?", "outputs": ["12340"], "length": 100}
                {"index": 1, "input": "x"}
                {"index": 2, "input": "The number of x2 is 12342. What is the number of x2?", "outputs": ["12342"], "length": 100}
                {"index": 3, "input": "The number of x3 is 12343. What is the number of x3?", "outputs": ["123""");
        Shell.Result result =
                shadowkv(eval("ruler-file/vt", "--ruler-files", files)).succeeded();
        String said = "ruler-file/vt at 4,096 tokens: 2 samples are left out (sample 1: ";
        assertThat(result.out())
                .contains(said, "line 2: has no field \"outputs\"", "; sample 3: ", "line 4: expected a JSON object")
                .containsPattern("ruler-file/vt +2 ");
        assertThat(Files.readString(out().resolve("report.html"))).contains(said, "has no field");
        assertThat(Files.readString(out().resolve("report.md"))).contains(said, "has no field");
        assertThat(RunFile.read(out().resolve("run.json")).leftOut())
                .extracting(one -> one.task() + " " + one.contextTokens() + " " + one.index())
                .containsExactly("ruler-file/vt 4096 1", "ruler-file/vt 4096 3");
    }

    /// A row after which the most likely first token is the end of sequence.
    @Test
    void samsumsFirstTokenIsNoEnd() throws IOException {
        write("longbench/samsum.jsonl", """
                {"input": "\\n\\nQuestion: What?", "context": "", "answers": ["The sky is blue."], "length": 10, \
                "dataset": "samsum", "language": "en", "all_classes": null, "_id": "8"}
                """);
        shadowkv(eval("longbench/samsum")).succeeded();
        AnswerRecord answer = answers().getFirst();
        assertThat(answer.answer()).isNotBlank();
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            int first = answer.answerIds().getFirst();
            assertThat(tokenizer.isSpecial(first)).isFalse();
            assertThat(tokenizer.decode(new int[] {first}, false)).isNotEqualTo("\n");
        }
    }

    @Test
    void longBenchEIsPrintedByLength() throws IOException {
        var rows = new StringBuilder();
        for (int length : new int[] {100, 200, 300, 9000}) {
            String right = length < 4000 ? "value" : "Nowhere";
            rows.append("""
                    {"input": "Question: Who?\\nType:", "context": "Question: Where is it?\\nType: Location\\n", \
                    "answers": ["%s"], "length": %d, "dataset": "trec", "language": "en", "all_classes": ["%s"], "_id": "0"}
                    """.formatted(right, length, right));
        }
        write("longbench-e/trec_e.jsonl", rows.toString());
        assertThat(shadowkv(eval("longbench-e/trec")).succeeded().out())
                .containsPattern("longbench-e/trec +4 +75 %")
                .containsPattern("longbench-e/trec 0-4k +3 +100 %")
                .containsPattern("longbench-e/trec 4-8k +0 +-")
                .containsPattern("longbench-e/trec 8k\\+ +1 +0 %");
        assertThat(Files.readString(out().resolve("report.md")))
                .containsPattern("\\| trec \\| 0-4k \\| classification.{1,2}score \\| 3 \\| 100\\.0 ")
                .containsPattern("\\| trec \\| 4-8k \\| classification.{1,2}score \\| 0 \\| – \\|")
                .containsPattern("\\| trec \\| 8k\\+ \\| classification.{1,2}score \\| 1 \\| 0\\.0 ");
    }

    /// The 49 tokens are the text, the correct answer and "The letter of the correct answer is".
    @Test
    void aPlainFollowUpAsksForTheLetter() {
        write("scbench/scbench_choice_eng.jsonl", CHOICES);
        shadowkv(eval("scbench/scbench_choice_eng", "--template", "base")).succeeded();
        assertThat(answers()).extracting(AnswerRecord::promptTokens).containsExactly(1, 49);
    }

    /// There is one end of sequence between turns, whether the model or the prompt wrote it.
    @Test
    void aPlainTalkHasOneEndOfSequenceBetween() {
        write("scbench/scbench_choice_eng.jsonl", CHOICES);
        shadowkv(eval("scbench/scbench_choice_eng@own", "--template", "base")).succeeded();
        AnswerRecord first = answers().getFirst();
        String question =
                "Question: Who keeps the oar?\nA. Joss\nB. Mira\nC. Orla\nD. Pim\n\nThe the correct answer is";
        try (Tokenizer tokenizer = Tokenizers.open(Fixtures.needleModel())) {
            int added = first.finish().equals("end_of_sequence") ? 0 : 1;
            assertThat(answers().getLast().promptTokens()).isEqualTo(tokenizer.encode(question, false).length + added);
        }
    }

    /// Tests the reasoning and then the answer; the second prompt does not contain the text.
    @Test
    void longBench2ThinksFirst() throws IOException {
        String text = "The lamp is in the tower. ".repeat(60);
        write("longbench-v2/data.json", """
                [{"_id": "a", "domain": "d", "sub_domain": "s", "difficulty": "easy", "length": "short", "question": "Where?", \
                "choice_A": "tower", "choice_B": "sea", "choice_C": "road", "choice_D": "hill", "answer": "A", "context": "%s"}]
                """.formatted(text));
        Shell.Result result =
                shadowkv(eval("longbench-v2-cot/short", "--progress")).succeeded();
        List<AnswerRecord> answers = answers();
        assertThat(answers).extracting(AnswerRecord::isJudged).containsExactly(false, true);
        assertThat(answers.get(0).promptTokens()).isGreaterThan(300);
        assertThat(result.out())
                .containsPattern("longbench-v2-cot Overall +1 ")
                .containsPattern("longbench-v2-cot Hard +0 +-")
                .contains("note: longbench-v2-cot: answers are greedy here");
        assertThat(result.err()).contains("thoughts");
    }

    @Test
    void helpSaysHowToCompareWithPublishedNumbers() {
        String help = shadowkv("eval", "--help").succeeded().out().replaceAll("\\s+", " ");
        assertThat(help)
                .contains("with base those that the suite's scripts give")
                .contains("120000 for v2")
                .contains("official, shadowkv")
                .contains("If anything differs, it stops and shows both values");
        assertThat(shadowkv("tasks").succeeded().out())
                .contains("--template base those of the published scores of open models")
                .contains("longbench-v2-cot/short\n");
        shadowkv(eval("longbench/trec", "--cut", "fit")).refused(2, "\"fit\" is not a cut", "length, official");
        shadowkv(eval("longbench/trec", "--prompts", "papers")).refused(2, "papers", "official, shadowkv");
    }
}
