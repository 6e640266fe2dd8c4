package io.shadowkv.cli.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.RopeScaling;
import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs with random weights of a very small shape.
class E2eRunTest {
    private static final int TOKENS = 300;
    private static final DecoderSpec TINY = new DecoderSpec(
            "llama", 2, 64, 96, 4, 2, 16, 128, 1e-5, new RopeSpec(1e4, 16, false, new RopeScaling.None()), false, 512);
    private static final Shadow SHADOW = new Shadow(16, 8, 32, 2, 8, 16);

    private final Backend backend = Backends.open("cpu", BackendOptions.DEFAULT).backend();
    private final ModelSource model = new ModelSource.Random("tiny", TINY, 7);

    @AfterEach
    void close() {
        backend.close();
    }

    private JsonNode run(E2eOptions options, EngineOptions engine) {
        return run(options, engine, new RunLog(null));
    }

    private JsonNode run(E2eOptions options, EngineOptions engine, RunLog log) {
        StringWriter text = new StringWriter();
        Machine machine = new Machine("A processor", 2, "Linux amd64", "25", "0123456789ab", false);
        var printer = new E2ePrinter(new PrintWriter(text, true), true, log, machine);
        var watcher = new RunWatcher(new PrintWriter(new StringWriter()), ProgressLine.Style.OFF, new Cancellation());
        new E2eRun(options, model, SHADOW, engine, backend, watcher).run(printer);
        printer.end();
        return JsonMapper.shared().readTree(text.toString());
    }

    private static E2eOptions options(BatchSize batch, boolean clones) {
        return new E2eOptions(List.of(TOKENS), true, true, batch, 1, 4, 2, clones, OptionalDouble.empty(), 1);
    }

    @Test
    void everySlotReadsItsOwnPrompt() {
        for (JsonNode run :
                run(options(new BatchSize(3), false), EngineOptions.DEFAULT).get("runs")) {
            assertThat(run.get("model").asString()).isEqualTo("tiny");
            assertThat(run.get("weights").asString()).isEqualTo("random");
            assertThat(run.at("/prefill/prompts").asInt()).isEqualTo(3);
            assertThat(run.get("batch_is_largest").asBoolean()).isFalse();
            assertThat(run.get("kept_whole").asBoolean()).isFalse();
        }
    }

    /// The largest batch is the one that the plan of each method admits.
    @Test
    void theLargestBatchIsThePlans() {
        int capacity = options(BatchSize.LARGEST, true).capacity(TOKENS);
        long limit;
        try (Engine engine = model.open(backend, EngineOptions.DEFAULT)) {
            MemoryPlan plan = engine.plan(capacity, 4);
            limit = plan.workspaceBytes() + plan.residentBytes();
        }
        EngineOptions limited = EngineOptions.DEFAULT.withMemoryLimits(limit, 0);
        JsonNode runs = run(options(BatchSize.LARGEST, true), limited).get("runs");
        for (JsonNode run : runs) {
            assertThat(run.get("batch_is_largest").asBoolean()).isTrue();
            assertThat(run.at("/prefill/prompts").asInt()).isEqualTo(1);
        }
        assertThat(runs.get(0).get("batch").asInt()).isBetween(4, 5);
    }

    /// Enough for full attention; ShadowKV's index of so short a prompt needs more than it saves.
    @Test
    void aFailureOfTheSecondMethodKeepsTheFirst(@TempDir Path folder) throws IOException {
        long limit;
        try (Engine engine = model.open(backend, EngineOptions.DEFAULT)) {
            MemoryPlan plan = engine.plan(options(new BatchSize(2), true).capacity(TOKENS), 2);
            limit = plan.workspaceBytes() + plan.residentBytes();
        }
        EngineOptions limited = EngineOptions.DEFAULT.withMemoryLimits(limit, 0);
        Path file = folder.resolve("e2e.jsonl");
        JsonNode all = run(options(new BatchSize(2), true), limited, new RunLog(file));
        assertThat(all.get("runs")).hasSize(1);
        assertThat(all.at("/runs/0/method").asString()).isEqualTo("full");
        assertThat(all.get("failures")).hasSize(1);
        assertThat(all.at("/failures/0/method").asString()).isEqualTo("shadowkv");
        assertThat(all.at("/failures/0/context_tokens").asInt()).isEqualTo(TOKENS);
        assertThat(all.at("/failures/0/message").asString()).contains("available are %,d bytes".formatted(limit));
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1);
        assertThat(JsonMapper.shared().readTree(lines.getFirst())).isEqualTo(all.at("/runs/0"));
    }
}
