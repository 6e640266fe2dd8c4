package io.shadowkv.cli.bench.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cli.bench.load.Goal;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.TraceSpec;
import io.shadowkv.cli.option.Devices;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.RopeScaling;
import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Servers in this process with random weights of a very small shape, which have no tokenizer.
class ServeBenchRunTest {
    private static final DecoderSpec TINY = new DecoderSpec(
            "llama", 2, 64, 96, 4, 2, 16, 128, 1e-5, new RopeSpec(1e4, 16, false, new RopeScaling.None()), false, 4096);
    private static final Shadow SHADOW = new Shadow(16, 8, 32, 2, 8, 16);
    private static final TraceSpec.Documents TRACE =
            new TraceSpec.Documents(4, 200, 400, 3, 8, 6, TraceSpec.Order.INTERLEAVED);

    private final Devices devices = new Devices(Stream.of(1, 1)
            .map(threads ->
                    Backends.open("cpu", new BackendOptions(threads, 0, null)).backend())
            .toList());
    private final Cancellation cancellation = new Cancellation();
    private final List<LoadResult> results = new ArrayList<>();

    @AfterEach
    void close() {
        devices.close();
    }

    private void run(LoadPlan plan, Integer held, List<Integer> counts, boolean bare, KvCacheSpec... methods)
            throws InterruptedException {
        LoadWatcher watcher =
                new LoadWatcher(new PrintWriter(new StringWriter()), ProgressLine.Style.OFF, cancellation);
        new ServeBenchRun(plan, true, null, held, watcher, results::add)
                .local(
                        new ModelSource.Random("tiny", TINY, 7),
                        devices,
                        counts,
                        EngineOptions.DEFAULT.withMaxBatch(4).withKeptPrompts(8),
                        List.of(methods),
                        0.6,
                        bare);
    }

    private static LoadPlan plan(DocumentUse use, boolean readsFirst, Load... loads) {
        Goal goal = new Goal(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
        return new LoadPlan(TRACE, use, readsFirst, List.of(loads), Long.MAX_VALUE, goal, 2, 1);
    }

    /// Also tokens without text are counted one by one.
    @Test
    void methodsHaveTheSameWork() throws InterruptedException {
        run(plan(DocumentUse.api, true, new Load.Rate(200)), null, List.of(1), true, new KvCacheSpec.Full(), SHADOW);
        assertThat(results)
                .extracting(LoadResult::name)
                .containsExactly("full", "full, bare engine", "shadowkv", "shadowkv, bare engine");
        assertThat(results).allSatisfy(result -> {
            assertThat(result.summary().completed()).isEqualTo(12);
            assertThat(result.summary().answerTokens()).isEqualTo(12 * 6);
            assertThat(result.summary().promptTokens()).isEqualTo(3 * 1199 + 12 * 8);
            assertThat(result.summary().cachedTokens())
                    .isEqualTo(result.summary().promptTokens() - 12 * 8);
            assertThat(result.summary().firstToken().p50()).isPositive();
            assertThat(result.summary().gap().p50()).isPositive();
            assertThat(result.readFirst()).hasSize(4);
            assertThat(result.readings()).isEmpty();
            assertThat(result.summary().seconds()).isGreaterThan(0.01);
        });
    }

    /// A client that keeps two of four documents reads again what it has deleted.
    @Test
    void aClientKeepsAsManyDocumentsAsItMay() throws InterruptedException {
        run(plan(DocumentUse.prefix, false, new Load.Clients(1)), 2, List.of(1), false, SHADOW);
        LoadResult result = results.getFirst();
        assertThat(result.heldDocuments()).isEqualTo(2);
        assertThat(result.readings()).hasSizeBetween(6, 12);
        assertThat(result.summary().cachedTokens()).isEqualTo(result.summary().promptTokens() - 12 * 8);
    }

    @Test
    void severalDevicesShareTheDocuments() throws InterruptedException {
        run(plan(DocumentUse.api, true, new Load.Clients(4)), null, List.of(1, 2), false, SHADOW);
        assertThat(results).extracting(LoadResult::name).containsExactly("shadowkv", "shadowkv, 2 engines");
        assertThat(results).allSatisfy(result -> {
            assertThat(result.summary().completed()).isEqualTo(12);
            assertThat(result.summary().cachedTokens())
                    .isEqualTo(result.summary().promptTokens() - 12 * 8);
        });
        StringWriter text = new StringWriter();
        new LoadPrinter(new PrintWriter(text), plan(DocumentUse.api, true, new Load.Clients(4))).compare(results);
        assertThat(text.toString()).contains("shadowkv, 4 clients: 2 engines compared with 1: request throughput ");
    }

    @Test
    void anInterruptionIsNotAResult() {
        cancellation.cancel();
        assertThatThrownBy(
                        () -> run(plan(DocumentUse.plain, false, new Load.Clients(1)), null, List.of(1), false, SHADOW))
                .isInstanceOf(CancellationException.class);
        assertThat(results).isEmpty();
    }
}
