package io.shadowkv.eval.longbench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptCut;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.PromptVersion;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
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
import tools.jackson.databind.node.ObjectNode;

/// Uses invented rows in the published layout.
final class LongBenchSuiteTest {
    private static Tokenizer tokenizer;
    private static PromptFormat format;

    @TempDir
    Path data;

    @BeforeAll
    static void open() {
        tokenizer = Tokenizers.open(Fixtures.needleModel());
        format = PromptFormat.chat(ChatTemplate.open(Fixtures.needleModel()).orElseThrow(), tokenizer);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    /// Hashes of the texts that the official script makes of the same row with the official files.
    @ParameterizedTest
    @CsvSource({
        "narrativeqa, 128, CHAT, 115e40085b8d68ac",
        "qasper, 128, CHAT, ebb161de3e54c2ae",
        "multifieldqa_en, 64, CHAT, 08f23c390650ee59",
        "multifieldqa_zh, 64, CHAT, e4b996603165527f",
        "hotpotqa, 32, CHAT, 7470b82936233c9b",
        "2wikimqa, 32, CHAT, 7470b82936233c9b",
        "musique, 32, CHAT, 7470b82936233c9b",
        "dureader, 128, CHAT, 2844853da28b93ad",
        "gov_report, 512, CHAT, cf4fd0c5c8bc5017",
        "qmsum, 512, CHAT, f45486b46e8502da",
        "multi_news, 512, CHAT, 149c2058b36f4e2d",
        "vcsum, 512, CHAT, 194371566f71d878",
        "trec, 64, NONE, a96a42dade1a8dea",
        "triviaqa, 32, NONE, d3d8805379758a63",
        "samsum, 128, NONE, 4c690fd6ba2c155a",
        "lsht, 64, NONE, 85721806108f43e4",
        "passage_count, 32, CHAT, 981c5b16dd5c7a1d",
        "passage_retrieval_en, 32, CHAT, 9ac0d48946352654",
        "passage_retrieval_zh, 32, CHAT, 7260931b25f9c05e",
        "lcc, 64, NONE, 755ed8bed64866fa",
        "repobench-p, 64, NONE, 0625a82701dce765"
    })
    void asksAsTheOfficialScript(String task, int newTokens, Sample.Wrapping wrapping, String sum) throws IOException {
        ObjectNode row = row("The {input} text.\n", "Which {context}?", "Paragraph 段落3", "3");
        write("longbench/" + task + ".jsonl", row);
        EvalTask opened = TaskCatalog.open("longbench/" + task, context(4096, 0));
        assertThat(opened.name()).isEqualTo("longbench/" + task);
        assertThat(opened.size()).isEqualTo(1);
        Sample sample = opened.sample(0);
        Sample.Turn turn = sample.turns().getFirst();
        assertThat(sum(turn.user())).as(turn.user()).isEqualTo(sum);
        assertThat(turn.maxNewTokens()).isEqualTo(newTokens);
        assertThat(sample.wrapping()).isEqualTo(wrapping);
        assertThat(turn.question()).isEqualTo("Which {context}?");
        assertThat(turn.answerPrefix()).isEmpty();
        assertThat(turn.references()).containsExactly("Paragraph 段落3", "3");
        assertThat(turn.stopIds())
                .isEqualTo(task.equals("samsum") ? List.of(last(tokenizer.encode("\n", false))) : List.of());
        assertThat(turn.metrics()).extracting(Metric::name).containsExactly(metric(task));
        assertThat(sample.labels())
                .isEqualTo(Map.of("id", "9a1", "length", "4-8k", "language", "en", "truncated", "false"));
    }

    /// Hashes of the texts that the paper's code makes of the same row with `LONG_BENCH_TEMPLATE`.
    @ParameterizedTest
    @CsvSource({
        "multifieldqa_zh, be6b12dfbaa96824",
        "dureader, d2a4b4433bee413a",
        "vcsum, 35c5ae7907ef5c26",
        "lsht, f7c6db893012c5f9",
        "passage_retrieval_zh, 6dd8c83196e35422",
        "hotpotqa, 7470b82936233c9b",
        "samsum, 4c690fd6ba2c155a"
    })
    void asksWithThePapersPrompts(String task, String sum) throws IOException {
        write("longbench/" + task + ".jsonl", row("The {input} text.\n", "Which {context}?", "Paragraph 段落3", "3"));
        var rules = new TaskContext.FileRules(0, PromptVersion.SHADOWKV, PromptCut.TO_LENGTH);
        Sample sample =
                TaskCatalog.open("longbench/" + task, context(4096, rules)).sample(0);
        String user = sample.turns().getFirst().user();
        assertThat(sum(user)).as(user).isEqualTo(sum);
        assertThat(sample.labels()).containsEntry("prompts", "shadowkv");
    }

    /// `tokenizer(prompt)` counts the model's beginning tokens, which are not decoded again.
    @ParameterizedTest
    @CsvSource({
        "4096, official, 3500",
        "10000, official, 7500",
        "16384, official, 15500",
        "131072, official, 31500",
        "131072, 1001, 1001"
    })
    void cutsToAFixedLimit(int contextTokens, String cut, int limit) throws IOException {
        write("longbench/hotpotqa.jsonl", row(numbers(9000), "Which?", "1"), row("short", "Which?", "1"));
        var rules = new TaskContext.FileRules(0, PromptVersion.OFFICIAL, PromptCut.parse(cut));
        EvalTask task = TaskCatalog.open("longbench/hotpotqa", context(contextTokens, rules));
        int[] ids = tokenizer.encodeAsText(user("longbench/hotpotqa", 1_000_000));
        assertThat(ids.length).isGreaterThan(31_500);
        int beginning = tokenizer.encode("", true).length;
        int half = limit / 2;
        String expected = tokenizer.decode(Arrays.copyOf(ids, half - beginning), true)
                + tokenizer.decode(Arrays.copyOfRange(ids, ids.length - half, ids.length), true);
        assertThat(task.sample(0).turns().getFirst().user()).isEqualTo(expected);
        assertThat(task.sample(0).labels())
                .containsEntry("truncated", "true")
                .containsEntry("cut", Integer.toString(limit));
        assertThat(task.sample(1).labels()).containsEntry("truncated", "false");
    }

    @Test
    void refusesAFixedLimitThatDoesNotFit() throws IOException {
        write("longbench/gov_report.jsonl", row("text", "", "summary"));
        for (var asked : Map.of(
                        "official", "no limit for a context of 2,048", "1900", "1,900 tokens and answers of 512")
                .entrySet()) {
            var rules = new TaskContext.FileRules(0, PromptVersion.OFFICIAL, PromptCut.parse(asked.getKey()));
            assertThatThrownBy(() -> TaskCatalog.open("longbench/gov_report", context(2048, rules)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("longbench/gov_report")
                    .hasMessageContaining(asked.getValue())
                    .hasMessageEndingWith("Give a longer --length, or another --cut");
        }
        assertThatThrownBy(() -> PromptCut.parse("fit")).hasMessageContaining("expected length, official, or a number");
    }

    /// A damaged row is asked for, so that it is reported as left out, even if short rows are left
    /// out.
    @Test
    void aDamagedRowIsNotAShortSample() throws IOException {
        ObjectNode broken = row("text", "Q1", "a");
        broken.remove("context");
        write("longbench/qasper.jsonl", row("short", "Q0", "a"), broken, row(numbers(400), "Q2", "b"));
        EvalTask task = TaskCatalog.open("longbench/qasper", context(100_000, 500));
        assertThat(task.size()).isEqualTo(2);
        assertThatThrownBy(() -> task.sample(0)).hasMessageContaining("line 2").hasMessageContaining("\"context\"");
        assertThat(task.sample(1).turns().getFirst().question()).isEqualTo("Q2");
    }

    private static int last(int[] ids) {
        return ids[ids.length - 1];
    }

    private static String metric(String task) {
        return switch (task) {
            case "multifieldqa_zh" -> "qa_f1_zh_score";
            case "dureader", "vcsum" -> "rouge_zh_score";
            case "gov_report", "qmsum", "multi_news", "samsum" -> "rouge_score";
            case "trec", "lsht" -> "classification_score";
            case "passage_count" -> "count_score";
            case "passage_retrieval_en" -> "retrieval_score";
            case "passage_retrieval_zh" -> "retrieval_zh_score";
            case "lcc", "repobench-p" -> "code_sim_score";
            default -> "qa_f1_score";
        };
    }

    @Test
    void aPromptReadsAsPublished() throws IOException {
        write("longbench/hotpotqa.jsonl", row("Passage 1:\nParis.", "Where?", "Paris"));
        assertThat(user("longbench/hotpotqa", 4096))
                .isEqualTo("Answer the question based on the given passages. Only give me the answer and do not output"
                        + " any other words.\n\nThe following are given passages.\nPassage 1:\nParis.\n\nAnswer the"
                        + " question based on the given passages. Only give me the answer and do not output any other"
                        + " words.\n\nQuestion: Where?\nAnswer:");
        write("longbench/repobench-p.jsonl", row("import a\n", "a.f(", "1)"));
        assertThat(user("longbench/repobench-p", 4096))
                .isEqualTo("Please complete the code given below. \nimport a\na.f(Next line of code:\n");
    }

    @Test
    void classesComeFromTheRow() throws IOException {
        ObjectNode row = row("Question: what?\nType: Food", "Question: when?\nType:", "Date");
        row.putArray("all_classes").add("Food").add("Date");
        write("longbench/trec.jsonl", row);
        Sample.Turn turn = TaskCatalog.open("longbench/trec", context(4096, 0))
                .sample(0)
                .turns()
                .getFirst();
        assertThat(turn.metrics().getFirst().score("Date\nFood", turn.references()))
                .isEqualTo(1);
        assertThat(turn.metrics().getFirst().score("Date or Food", turn.references()))
                .isEqualTo(0.5);
    }

    /// 北京 and 北京大学 are two different words, but have characters in common.
    @ParameterizedTest
    @ValueSource(strings = {"multifieldqa_zh", "dureader", "vcsum"})
    void chineseIsScoredInWords(String task) throws IOException {
        write("longbench/" + task + ".jsonl", row("文章", "哪里？", "他在北京大学"));
        Sample.Turn turn = TaskCatalog.open("longbench/" + task, context(4096, 0))
                .sample(0)
                .turns()
                .getFirst();
        assertThat(turn.metrics().getFirst().score("北京", turn.references())).isZero();
        assertThat(turn.metrics().getFirst().score("北京大学", turn.references())).isCloseTo(0.5, offset(1e-6));
    }

    /// Half of the room is kept from each end; the room is what answer and template leave.
    @ParameterizedTest
    @ValueSource(strings = {"hotpotqa", "triviaqa"})
    void cutsInTheMiddle(String task) throws IOException {
        write("longbench/" + task + ".jsonl", row(numbers(2000), "Which?", "1"));
        boolean isWrapped = task.equals("hotpotqa");
        PromptFormat around = isWrapped ? format : PromptFormat.plain(tokenizer);
        String whole = user("longbench/" + task, 100_000);
        int[] ids = tokenizer.encodeAsText(whole);
        int wrapping = around.first(whole, "").length - ids.length;
        assertThat(wrapping).as("tokens of the template").isBetween(isWrapped ? 5 : 0, isWrapped ? 50 : 0);
        for (int tokens : new int[] {400, 401}) {
            int half = (tokens - 32 - wrapping) / 2;
            String expected = tokenizer.decode(Arrays.copyOf(ids, half), true)
                    + tokenizer.decode(Arrays.copyOfRange(ids, ids.length - half, ids.length), true);
            assertThat(user("longbench/" + task, tokens)).isEqualTo(expected);
            assertThat(around.first(expected, "").length + 32).isBetween(tokens - 1, tokens);
        }
        Sample cut = TaskCatalog.open("longbench/" + task, context(400, 0)).sample(0);
        assertThat(cut.labels()).containsEntry("truncated", "true");
    }

    @Test
    void saysWhereAnAnswerLeavesNoRoom() throws IOException {
        write("longbench/gov_report.jsonl", row(numbers(100), "", "summary"));
        assertThatThrownBy(() -> user("longbench/gov_report", 512))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("longbench/gov_report, sample 0");
    }

    @Test
    void leavesShortSamplesOut() throws IOException {
        write(
                "longbench/qasper.jsonl",
                row("short", "Q0", "a"),
                row(numbers(400), "Q1", "b"),
                row(numbers(50), "Q2", "c"),
                row(numbers(5000), "Q3", "d"));
        int[] lengths = IntStream.range(0, 4)
                .map(i -> tokenizer.encodeAsText(TaskCatalog.open("longbench/qasper", context(100_000, 0))
                                .sample(i)
                                .turns()
                                .getFirst()
                                .user())
                        .length)
                .toArray();
        assertThat(questions(lengths[2])).containsExactly("Q1", "Q3");
        assertThat(questions(lengths[2] - 1)).containsExactly("Q1", "Q2", "Q3");
        assertThat(questions(lengths[1])).containsExactly("Q3");
        assertThatThrownBy(() -> questions(lengths[3]))
                .hasMessageContaining("none of the 4 samples")
                .hasMessageContaining("qasper.jsonl");
        assertThatThrownBy(() -> context(100, -1)).hasMessageContaining("-1 tokens");
    }

    private List<String> questions(int minTokens) {
        EvalTask task = TaskCatalog.open("longbench/qasper", context(100_000, minTokens));
        return IntStream.range(0, task.size())
                .mapToObj(i -> task.sample(i).turns().getFirst().question())
                .toList();
    }

    @Test
    void hasTheOfficialTasks() {
        assertThat(LongBenchSuite.STANDARD.tasks()).hasSize(21).doesNotHaveDuplicates();
        assertThat(LongBenchSuite.STANDARD.tasks()).containsAll(LongBenchSuite.EVEN.tasks());
        assertThat(TaskCatalog.names(List.of("longbench"))).hasSize(21);
        assertThat(TaskCatalog.names(List.of("longbench-e"))).hasSize(13).contains("longbench-e/hotpotqa");
    }

    @ParameterizedTest
    @ValueSource(strings = {"longbench-e", "longbench"})
    void readsTheEvenFilesFromEitherFolder(String folder) throws IOException {
        write("longbench/hotpotqa.jsonl", row("Passage", "not this", "a"));
        write(folder + "/hotpotqa_e.jsonl", row("Passage", "this", "a"));
        Sample sample =
                TaskCatalog.open("longbench-e/hotpotqa", context(4096, 0)).sample(0);
        assertThat(sample.task()).isEqualTo("longbench-e/hotpotqa");
        assertThat(sample.turns().getFirst().question()).isEqualTo("this");
    }

    @Test
    void saysWhichFileIsMissing() {
        assertThatThrownBy(() -> TaskCatalog.open("longbench/hotpotqa", context(4096, 0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("longbench/hotpotqa reads ")
                .hasMessageContaining(
                        data.resolve("longbench").resolve("hotpotqa.jsonl").toString())
                .hasMessageContaining("LongBench's published hotpotqa.jsonl");
        assertThatThrownBy(() -> TaskCatalog.open("longbench-e/trec", context(4096, 0)))
                .hasMessageContaining(
                        data.resolve("longbench-e").resolve("trec_e.jsonl").toString());
    }

    @Test
    void saysWhichFieldIsMissing() throws IOException {
        ObjectNode broken = row("text", "Q1", "a");
        broken.remove("context");
        write("longbench/hotpotqa.jsonl", row("text", "Q0", "a"), broken);
        EvalTask task = TaskCatalog.open("longbench/hotpotqa", context(4096, 0));
        assertThat(task.sample(0).turns()).hasSize(1);
        assertThatThrownBy(() -> task.sample(1))
                .hasMessageContaining("hotpotqa.jsonl, line 2")
                .hasMessageContaining("\"context\"");
    }

    private String user(String task, int contextTokens) {
        return TaskCatalog.open(task, context(contextTokens, 0))
                .sample(0)
                .turns()
                .getFirst()
                .user();
    }

    private TaskContext context(int contextTokens, int minTokens) {
        return context(
                contextTokens, new TaskContext.FileRules(minTokens, PromptVersion.OFFICIAL, PromptCut.TO_LENGTH));
    }

    private TaskContext context(int contextTokens, TaskContext.FileRules rules) {
        return new TaskContext(
                tokenizer, format, contextTokens, 1, new TaskContext.Options("nvidia", null, data).withFiles(rules));
    }

    private static String numbers(int count) {
        return IntStream.range(0, count).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    /// A row in the published layout.
    private static ObjectNode row(String context, String input, String... answers) {
        ObjectNode row = JsonMapper.shared().createObjectNode();
        row.put("input", input).put("context", context);
        row.set("answers", JsonMapper.shared().valueToTree(answers));
        row.put("length", 4000).put("dataset", "any").put("language", "en");
        row.putNull("all_classes");
        return row.put("_id", "9a1");
    }

    private void write(String file, ObjectNode... rows) throws IOException {
        Path path = data.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, Arrays.stream(rows).map(row -> row + "\n").collect(Collectors.joining()));
    }

    private static String sum(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
