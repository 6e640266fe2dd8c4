package io.shadowkv.cli.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.op.OperationKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The table and the JSON of artificial results.
class E2eTableTest {
    private static final Machine MACHINE = new Machine("A processor", 2, "Linux amd64", "25", "0123456789ab", true);
    private static final E2eSetup SETUP = new E2eSetup(
            "llama-3.1-8b",
            true,
            32,
            "BF16",
            "BF16",
            8192,
            "auto",
            "cuda",
            "a device",
            new Ceilings(4.3e12, 55e9),
            4,
            32,
            4,
            "exact",
            true,
            OptionalDouble.of(0.6),
            OptionalDouble.empty(),
            1);

    @TempDir
    private Path folder;

    private static E2eResult full() {
        return new E2eResult(
                "full",
                "Full[]",
                124_928,
                8,
                true,
                false,
                0,
                new E2eResult.Prefill(9.2, Map.of(OperationKind.ATTENTION, 7.0), 0, 0, 0, List.of(), 1, 9.3),
                new E2eResult.Steps(
                        LongStream.rangeClosed(1, 32)
                                .map(i -> 34_000_000 + i * 10_000)
                                .toArray(),
                        Map.of(
                                OperationKind.LINEARS,
                                0.0041,
                                OperationKind.ATTENTION,
                                0.030,
                                OperationKind.ROWS,
                                0.0004)),
                Double.NaN,
                new StepBytes(Map.of(OperationKind.LINEARS, 15.0e9, OperationKind.ATTENTION, 131.0e9), 0),
                new E2eResult.Memory(148_000_000_000L, 149_000_000_000L, 0, 0, List.of(), List.of()));
    }

    private static E2eResult shadow() {
        return new E2eResult(
                "shadowkv",
                "Shadow[rank=160]",
                124_928,
                29,
                false,
                false,
                3,
                new E2eResult.Prefill(
                        9.4,
                        Map.of(OperationKind.ATTENTION, 7.0, OperationKind.INDEX, 0.4),
                        0.4,
                        0.012,
                        0,
                        List.of(),
                        1,
                        12.3),
                new E2eResult.Steps(
                        new long[] {15_000_000, 16_000_000, 14_000_000},
                        Map.of(
                                OperationKind.LINEARS,
                                0.0041,
                                OperationKind.FETCH,
                                0.0147,
                                OperationKind.SCORE,
                                0.0075,
                                OperationKind.SELECT,
                                0.0011)),
                0.604,
                new StepBytes(
                        Map.of(OperationKind.LINEARS, 15.0e9, OperationKind.SCORE, 30.0e9, OperationKind.FETCH, 1.6e9),
                        0.79e9),
                new E2eResult.Memory(
                        120_000_000_000L,
                        121_000_000_000L,
                        119_000_000_000L,
                        119_000_000_000L,
                        List.of(new MemoryPlan.Item("landmarks", 1_000_000_000, false)),
                        List.of()));
    }

    private static String table(List<E2eResult> results) {
        StringWriter text = new StringWriter();
        E2eTable table = new E2eTable(SETUP, new PrintWriter(text, true));
        table.head();
        table.print(results, List.of());
        return text.toString();
    }

    @Test
    void showsTheMethodsSideBySide() {
        String text = table(List.of(full(), shadow()));
        assertThat(text.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
        assertThat(text)
                .contains(
                        "copied into every slot (--clone-prefill)",
                        "synthetic (--hit-rate 0.6)",
                        "memory 4.30 TB/s, link 55.0 GB/s",
                        "8 (no more fit)",
                        "34.0 ms to 34.3 ms",
                        "60.4 %",
                        "400 ms in parallel, waited 12.0 ms",
                        "14.7 ms  53.7 GB/s  98 %",
                        "ShadowKV compared with full attention: 8.26× as many tokens per second")
                .containsPattern("batch +8 \\(no more fit\\) +29\n")
                .containsPattern("indexing +– ");
    }

    /// A forced density is never silent.
    @Test
    void showsWhatWasReadAndThatItWasForced() {
        E2eResult exact = full();
        List<LayerDensity> layers = List.of(new LayerDensity(5, 100), new LayerDensity(13, 100));
        var read = new E2eResult.Prefill(4.1, Map.of(OperationKind.ATTENTION, 1.0), 0, 0, 0.1, layers, 1, 4.2);
        E2eResult sparse = new E2eResult(
                exact.method(),
                exact.strategy(),
                exact.contextTokens(),
                exact.batch(),
                exact.batchIsLargest(),
                exact.keptWhole(),
                exact.deviceValueLayers(),
                read,
                exact.steps(),
                exact.hitRate(),
                exact.bytes(),
                exact.memory());
        E2eSetup forced = new E2eSetup(
                "llama-3.1-8b",
                true,
                32,
                "BF16",
                "BF16",
                8192,
                "auto",
                "cuda",
                "a device",
                null,
                4,
                32,
                4,
                "blocks at a forced density of 0.09",
                false,
                OptionalDouble.empty(),
                OptionalDouble.of(0.09),
                1);
        StringWriter text = new StringWriter();
        E2eTable table = new E2eTable(forced, new PrintWriter(text, true));
        table.head();
        table.print(List.of(sparse), List.of());
        assertThat(text.toString())
                .contains("--prefill blocks at a forced density of 0.09", "(--prefill-density 0.09): speeds are valid")
                .containsPattern("density of attention +9 %")
                .containsPattern("choosing keys +100 ms")
                .containsPattern("rest +3.00 s");
        assertThat(text.toString().lines())
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
        JsonNode run = E2eJson.run(forced, MACHINE, sparse);
        assertThat(run.get("forced_density").asDouble()).isEqualTo(0.09);
        assertThat(run.at("/prefill/density").asDouble()).isEqualTo(0.09);
        assertThat(run.at("/prefill/density_by_layer/1").asDouble()).isEqualTo(0.13);
        assertThat(run.at("/prefill/selection_seconds").asDouble()).isEqualTo(0.1);
    }

    @Test
    void oneMethodAlonePromisesNoGain() {
        assertThat(table(List.of(shadow()))).contains("ShadowKV").doesNotContain("full attention");
    }

    @Test
    void aLineOfTheLogSaysEverything() throws IOException {
        Path file = folder.resolve("runs").resolve("e2e.jsonl");
        StringWriter text = new StringWriter();
        var printer = new E2ePrinter(new PrintWriter(text, true), true, new RunLog(file), MACHINE);
        printer.measured(SETUP, full());
        printer.measured(SETUP, shadow());
        printer.end();
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(2);
        JsonNode run = JsonMapper.shared().readTree(lines.getLast());
        assertThat(run.get("commit").asString()).isEqualTo("0123456789ab");
        assertThat(run.get("dirty").asBoolean()).isTrue();
        assertThat(run.get("batch").asInt()).isEqualTo(29);
        assertThat(run.get("forced_hit_rate").asDouble()).isEqualTo(0.6);
        assertThat(run.at("/step/median_ms").asDouble()).isEqualTo(15);
        assertThat(run.at("/step/p90_ms").asDouble()).isEqualTo(16);
        assertThat(run.at("/step/part_ms/fetch").asDouble()).isEqualTo(14.7);
        assertThat(run.at("/bytes_per_step/link").asLong()).isEqualTo(790_000_000);
        assertThat(run.at("/bytes_per_step/floor_share").asDouble()).isBetween(0.95, 0.96);
        assertThat(run.at("/memory/planned_parts/landmarks").asLong()).isEqualTo(1_000_000_000);
        JsonNode all = JsonMapper.shared().readTree(text.toString());
        assertThat(all.get("runs")).hasSize(2);
        assertThat(all.at("/runs/0/hit_rate").isNull()).isTrue();
        assertThat(all.at("/speed_ups/0/speed_up").asDouble()).isBetween(8.2, 8.3);
    }
}
