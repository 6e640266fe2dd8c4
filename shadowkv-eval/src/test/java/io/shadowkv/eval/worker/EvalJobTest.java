package io.shadowkv.eval.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.FakeExaminer;
import io.shadowkv.eval.run.RunInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EvalJobTest {
    @TempDir
    Path folder;

    @Test
    void aJobIsReadAsItWasWritten() {
        var job = new EvalJob(FakeExaminer.plan(3), List.of(new Item("a/x", 2)), List.of("shadowkv", "eval-worker"), 5);
        job.write(folder.resolve("job.json"));
        assertThat(EvalJob.read(folder.resolve("job.json"))).isEqualTo(job);
        assertThat(job.worker("w", OptionalInt.of(3)))
                .isEqualTo(new WorkerCommand(
                        "w", List.of("shadowkv", "eval-worker", "--device", "3"), Duration.ofSeconds(5)));
        assertThat(job.worker("w", OptionalInt.empty()).command()).containsExactly("shadowkv", "eval-worker");
    }

    @Test
    void aJobCarriesItsRunAndTheCommandThatCompares() {
        EvalPlan plan = FakeExaminer.plan(3);
        var run = new RunInfo(
                "title",
                "x eval",
                "c0ffee",
                plan.model(),
                Map.of("layers", "2"),
                "a machine",
                plan.backend(),
                plan.kvType(),
                plan.tasks(),
                List.of(plan.contextTokens()),
                plan.samples(),
                plan.seed(),
                plan.methods(),
                Map.of("weights", "0123"),
                "2026-11-30T08:00:00Z",
                List.of(new LeftOut("a/x", plan.contextTokens(), 1, "too long")));
        var job = new EvalJob(plan, List.of(), List.of("x"), 5, List.of("x", "--compare"), run);
        assertThat(EvalJob.fromJson(job.toJson())).isEqualTo(job);
    }

    @Test
    void missingFieldsHaveDefaults() throws IOException {
        Path file = Files.writeString(folder.resolve("short.json"), """
                {"plan":{"model":"m","backend":"cuda","kv_type":"bf16","tasks":["ruler/vt"],"context_tokens":4096,
                 "samples":2,"seed":1,"methods":[{"name":"full"}]},"command":["x"]}""");
        EvalJob job = EvalJob.read(file);
        assertThat(job.items()).containsExactly(new Item("ruler/vt", 0), new Item("ruler/vt", 1));
        assertThat(job.readySeconds()).isEqualTo(600);
        assertThat(job.checkCommand()).isEmpty();
        assertThat(job.run()).isNull();
    }

    /// Workers report the type in upper case, and the keys of answers have this form.
    @Test
    void theTypeOfKeysMayBeInLowerCase() {
        String written = new EvalJob(FakeExaminer.plan(3), List.of(), List.of("x"), 5).toJson();
        assertThat(written).contains("\"kv_type\":\"BF16\"");
        assertThat(EvalJob.fromJson(written.replace("BF16", "bf16")).plan()).isEqualTo(FakeExaminer.plan(3));
        assertThatThrownBy(() -> EvalJob.fromJson(written.replace("\"kv_type\":\"BF16\",", "")))
                .hasMessageContaining("needs a \"kv_type\"");
    }

    @Test
    void malformedJobsAreRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("none.json"), "{\"command\":[\"x\"]}");
        assertThatThrownBy(() -> EvalJob.read(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("none.json is not a job")
                .hasMessageContaining("a job needs a plan");
        String job = new EvalJob(FakeExaminer.plan(3), List.of(), List.of("x"), 5).toJson();
        Path misspelt = Files.writeString(folder.resolve("misspelt.json"), job.replace("items", "itmes"));
        assertThatThrownBy(() -> EvalJob.read(misspelt)).hasMessageContaining("itmes");
    }
}
