package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.worker.EvalJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/// `eval`, `sweep` and `tasks` with the bundled model and short texts.
@Order(1)
class EvalCommandTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    Path temporary;

    private Path out() {
        return temporary.resolve("results");
    }

    private Object[] eval(Object... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                "eval",
                "--data",
                "ruler/niah_single_1,ruler/niah_multikey_1",
                "--length",
                "1500",
                "--budget",
                "64",
                "--out",
                out()));
        arguments.addAll(List.of(more));
        return arguments.toArray();
    }

    private List<AnswerRecord> answers() {
        return List.copyOf(AnswerLog.read(out().resolve("answers.jsonl")));
    }

    @Test
    void asksEveryMethodAndGoesOnWhereItStopped() throws IOException {
        Shell.Result first = shadowkv(eval("--samples", 1)).succeeded();
        assertThat(first.out())
                .containsPattern("at 1,500 tokens +samples +full +shadowkv budget 64")
                .containsPattern("ruler/niah_single_1 +1 +100 % +100 %")
                .contains("mean of tasks", "report: " + out().resolve("report.html"));
        List<AnswerRecord> one = answers();
        assertThat(one).hasSize(4);
        assertThat(one).allSatisfy(answer -> {
            assertThat(answer.promptTokens()).isBetween(500, 1372);
            assertThat(answer.scores().keySet()).containsExactly("string_match_all", "paper:needle_score");
            assertThat(answer.key().method().name().equals("full")).isEqualTo(answer.divergence() == null);
        });

        shadowkv(eval("--samples", 2)).succeeded();
        List<AnswerRecord> two = answers();
        assertThat(two).hasSize(8);
        assertThat(two.subList(0, 4)).isEqualTo(one);
        assertThat(Files.readString(out().resolve("report.md"))).contains("niah\\_multikey\\_1");
        RunInfo run = JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .build()
                .readValue(out().resolve("run-2.json").toFile(), RunInfo.class);
        assertThat(run.samples()).isEqualTo(2);
        assertThat(run.methods()).hasSize(2);
        assertThat(run.contexts()).containsExactly(1500);
    }

    /// Each index with each list of budgets is a method, on the same prompts.
    @Test
    void comparesIndexesAndBudgetsOfLayers() throws IOException {
        shadowkv(eval("--samples", 1, "--index", "landmarks,codes", "--layer-budgets", "1x/4x"))
                .succeeded();
        assertThat(answers())
                .extracting(answer -> answer.key().method().label())
                .containsOnly(
                        "full",
                        "shadowkv budget 64",
                        "shadowkv budget 64 first layers 4x",
                        "shadowkv budget 64 index codes",
                        "shadowkv budget 64 index codes first layers 4x");
    }

    /// Every way to read with every cache is a method; those that read alike share the reading.
    @Test
    void comparesWaysToRead() throws IOException {
        shadowkv(eval(
                        "--samples",
                        1,
                        "--prefill",
                        "exact,blocks,minference",
                        "--prefill-from",
                        300,
                        "--prefill-mass",
                        4))
                .succeeded();
        assertThat(answers())
                .extracting(answer -> answer.key().method().label())
                .containsOnly(
                        "full",
                        "shadowkv budget 64",
                        "full prefill blocks from 300",
                        "shadowkv budget 64 prefill blocks from 300",
                        "full prefill minference from 300",
                        "shadowkv budget 64 prefill minference from 300");
        assertThat(answers()).allSatisfy(answer -> {
            boolean isExact = answer.key().method().prefill() == null;
            assertThat(answer.prefillDensity() == null).isEqualTo(isExact);
            assertThat(answer.prefillLayers() == null).isEqualTo(isExact);
            if (answer.prefillLayers() != null) {
                assertThat(answer.prefillLayers()).hasSize(5).allSatisfy(layer -> {
                    assertThat(layer.density()).isBetween(0.05, 1.0);
                    assertThat(layer.keptMass()).isBetween(0.3, 1.0);
                });
            }
        });
        assertThat(Files.readString(out().resolve("report.html")))
                .contains("Sparse prefill by layer", "blocks from 300", "of the mass");
        shadowkv(eval("--prefill-mass", -1)).refused(2, "--prefill-mass is -1; expected 0 (no measurement) or more");
    }

    /// A method that the model or the backend does not have is refused before a prompt is read.
    @Test
    void refusesBudgetsOfMoreLayersThanThereAre() {
        shadowkv(eval("--layer-budgets", "2x," + "3x,".repeat(40) + "4x"))
                .refused(1, "budgets of the first 42 layers are given; the model has ", "Give fewer budgets");
        assertThat(out().resolve("answers.jsonl")).isEmptyFile();
    }

    /// Answers of other settings must not be mixed with these.
    @Test
    void refusesAFolderOfOtherSettings() {
        shadowkv(eval("--samples", 1, "--method", "full")).succeeded();
        shadowkv(eval("--samples", 1, "--method", "full", "--ruler-version", "shadowkv"))
                .refused(1, "made with other settings", "ruler_version was nvidia, is shadowkv", "another folder");
    }

    /// Settings of a run without answers can change; a file is the same under all of its names.
    @Test
    void settingsBindAsSoonAsThereAreAnswers() throws IOException {
        Path text = Files.writeString(temporary.resolve("hay.txt"), "The night was dark. ".repeat(50));
        new Shell()
                .cancelled()
                .run(eval("--samples", 1, "--ruler-version", "shadowkv"))
                .refused(1, "interrupted");
        shadowkv(eval("--samples", 1, "--method", "full", "--haystack", text)).succeeded();
        shadowkv(eval("--samples", 1, "--method", "full", "--haystack", temporary.resolve("./hay.txt")))
                .succeeded();
        assertThat(answers()).hasSize(2);
    }

    /// Each worker ends before it computes, so that it needs no optimising compiler.
    @Test
    void aWorkerThatFailsIsNoDefectOfTheProgram() {
        Shell.Result result = new Shell()
                .workersWith("-XX:TieredStopAtLevel=1")
                .run(eval("--samples", 1, "--workers", 1, "--memory", "1M"));
        result.refused(1, "asked 3 times", "available are 1,048,576 bytes");
        assertThat(result.err()).doesNotContain("incubator");
    }

    @Test
    void aClustersWorkersNeedWholePaths() {
        shadowkv(eval("--job-dir", temporary.resolve("jobs"), "--data-dir", "data"))
                .refused(
                        2,
                        "--data-dir data is a relative path",
                        Path.of("data").toAbsolutePath().toString());
    }

    /// Batches and workers do not change the answers.
    @Test
    void answersOfBatchesAndOfWorkersAreThoseOfOneProcess() throws Exception {
        shadowkv(eval("--samples", 3)).succeeded();
        Map<AnswerRecord.Key, AnswerRecord> single = byKey();
        Files.delete(out().resolve("answers.jsonl"));
        shadowkv(eval("--samples", 3, "--batch", 3)).succeeded();
        assertSame(byKey(), single);
        assertThat(byKey().values())
                .anySatisfy(answer -> assertThat(answer.batch()).isEqualTo(3));

        Files.delete(out().resolve("answers.jsonl"));
        CompletableFuture<Shell.Result> run =
                CompletableFuture.supplyAsync(() -> shadowkv(eval("--samples", 3, "--workers", 2)));
        killOneWorker(run);
        Shell.Result result = run.get().succeeded();
        assertThat(result.err()).contains("is retried");
        assertSame(byKey(), single);
        assertThat(Files.readAllLines(out().resolve("answers.jsonl"))).hasSize(12);
    }

    private Map<AnswerRecord.Key, AnswerRecord> byKey() {
        return answers().stream().collect(Collectors.toMap(AnswerRecord::key, Function.identity()));
    }

    private static void assertSame(
            Map<AnswerRecord.Key, AnswerRecord> found, Map<AnswerRecord.Key, AnswerRecord> expected) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        found.forEach((key, answer) -> {
            AnswerRecord same = expected.get(key);
            assertThat(answer.answer()).isEqualTo(same.answer());
            assertThat(answer.answerIds()).isEqualTo(same.answerIds());
            assertThat(answer.promptHash()).isEqualTo(same.promptHash());
            assertThat(answer.scores()).isEqualTo(same.scores());
        });
    }

    /// Kills a worker once there is an answer, while other samples are being asked.
    private void killOneWorker(CompletableFuture<Shell.Result> run) throws IOException, InterruptedException {
        Path log = out().resolve("answers.jsonl");
        Instant end = Instant.now().plus(PATIENCE);
        while (Instant.now().isBefore(end) && !run.isDone()) {
            if (Files.exists(log) && Files.size(log) > 0) {
                ProcessHandle worker = ProcessHandle.current()
                        .children()
                        .filter(child -> child.info().command().orElse("").endsWith("/java"))
                        .filter(EvalCommandTest::isWorker)
                        .findFirst()
                        .orElseThrow();
                worker.destroyForcibly();
                return;
            }
            Thread.sleep(5);
        }
        assertThat(run.isDone())
                .as("no answer came before the run ended: " + (run.isDone() ? run.join() : ""))
                .isFalse();
    }

    /// Other classes of this JVM have children too. The JDK knows only the start of a long command line.
    private static boolean isWorker(ProcessHandle child) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(child.pid()), "cmdline"))
                    .contains("--worker-length");
        } catch (IOException e) {
            return false;
        }
    }

    /// Tasks from files of `ruler build` are asked like the same tasks without files.
    @Test
    void asksRulersOwnFiles() {
        Path files = temporary.resolve("files");
        shadowkv("ruler", "build", "--length", "1500", "--samples", 2, "--tasks", "niah_single_1,vt", "--out", files)
                .succeeded();
        String[] common = {"--length", "1500", "--samples", "2", "--method", "full", "--ruler-files", files.toString()};
        shadowkv(arguments(common, "--data", "ruler/niah_single_1,ruler/vt", "--out", out()))
                .succeeded();
        shadowkv(arguments(common, "--data", "ruler-file/niah_single_1,ruler-file/vt", "--out", out()))
                .succeeded();
        List<AnswerRecord> answers = answers();
        assertThat(answers).hasSize(8);
        for (int i = 0; i < 4; i++) {
            assertThat(answers.get(i + 4).promptHash()).isEqualTo(answers.get(i).promptHash());
            assertThat(answers.get(i + 4).answer()).isEqualTo(answers.get(i).answer());
            assertThat(answers.get(i + 4).scores()).isEqualTo(answers.get(i).scores());
        }
    }

    private static Object[] arguments(String[] common, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("eval"));
        arguments.addAll(List.of(common));
        arguments.addAll(List.of(more));
        return arguments.toArray();
    }

    @Test
    void aSweepAsksOneBudgetAfterTheOther() throws IOException {
        shadowkv(
                        "sweep",
                        "--data",
                        "ruler/niah_multikey_1",
                        "--length",
                        "1500",
                        "--samples",
                        "1",
                        "--budgets",
                        "16,32,64",
                        "--ranks",
                        "8,32,64",
                        "--budget",
                        "32",
                        "--out",
                        out())
                .succeeded();
        assertThat(answers())
                .extracting(answer -> answer.key().method().label())
                .containsExactly(
                        "full",
                        "shadowkv budget 16",
                        "shadowkv budget 32",
                        "shadowkv budget 64",
                        "shadowkv budget 32 rank 8",
                        "shadowkv budget 32 rank 32",
                        "shadowkv budget 32 rank 64");
        assertThat(Files.readString(out().resolve("report.html"))).contains("against budget", "against rank");
    }

    /// A worker of the job answers the samples that this process does not ask.
    @Test
    void writesJobsForACluster() {
        Path jobs = temporary.resolve("jobs");
        shadowkv(eval("--samples", 2, "--job-dir", jobs)).succeeded();
        EvalJob job = EvalJob.read(jobs.resolve("job-1500.json"));
        assertThat(job.items()).hasSize(4);
        assertThat(job.plan().methods()).hasSize(2);
        assertThat(job.command().getFirst()).endsWith("/shadowkv");
        assertThat(job.command())
                .contains("eval", "ruler/niah_single_1,ruler/niah_multikey_1", "--worker-length", "1500");
        assertThat(out()).doesNotExist();
    }

    @Test
    void anInterruptedRunSaysHowToGoOn() {
        new Shell()
                .cancelled()
                .run(eval("--samples", 1))
                .refused(1, "interrupted; the answers so far are in " + out(), "run the same command to resume");
    }

    @Test
    void refusesWhatCannotBeAsked() {
        shadowkv("eval", "--data", "rulr/vt").refused(2, "--data: \"rulr/vt\" is not a task", "ruler");
        shadowkv("eval", "--length", "64k").refused(2, "--length is 65,536", "context is 32,768");
        shadowkv("eval", "a", "--model", "b").refused(2, "two models are given, a and --model b");
        shadowkv("eval", "--model", temporary.resolve("none")).refused(1, "none: no such folder");
        shadowkv("eval", "--samples", "0").refused(2, "--samples is 0");
        shadowkv("eval", "--batch", "0").refused(2, "--batch is 0");
        shadowkv("eval", "--rank", "0", "--out", out(), "--length", "1k").refused(2, "rank is 0");
        shadowkv("eval", "--data", "longbench/hotpotqa", "--data-dir", temporary, "--out", out(), "--length", "1k")
                .refused(1, temporary.resolve("longbench/hotpotqa.jsonl").toString());
        shadowkv("eval", "--template", "llama-9", "--out", out()).refused(2, "--template: ", "llama-9", "llama-3");
        shadowkv("eval", "--data", "ruler/nope").refused(2, "ruler has niah_single_1");
        shadowkv("eval", "--haystack", temporary.resolve("no.txt"), "--out", out())
                .refused(2, "no.txt: no such file");
        shadowkv("eval", "--length", "300", "--out", out()).refused(1, "300 tokens were allowed", "leave the task out");
        shadowkv("eval", "--length", "1k", "--out", out(), "--devices", "0", "--backend", "cpu")
                .refused(1, "--devices names GPUs");
    }

    @Test
    void listsTasks() {
        String tasks = shadowkv("tasks").succeeded().out();
        TaskCatalog.suites()
                .forEach(suite -> assertThat(tasks).containsPattern("(?m)^" + Pattern.quote(suite.name()) + ": .{20}"));
        assertThat(tasks)
                .contains("ruler/niah_single_1\n", "longbench/hotpotqa\n", "niah/pressure\n", "scbench/scbench_kv\n");
    }
}
