package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceCache.Selections;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.BatchRun;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.timing.TimedBackend;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// One run: reads prompts, decodes a batch and measures both.
final class E2eMeasurement {
    private final E2eOptions options;
    private final Engine engine;
    private final TimedBackend backend;
    private final int tokens;
    private final long freeBytes;
    private final RunWatcher watcher;

    /// @param backend the backend of the engine
    /// @param tokens number of tokens of each prompt
    /// @param freeBytes free device memory before the engine was opened
    E2eMeasurement(
            E2eOptions options, Engine engine, TimedBackend backend, int tokens, long freeBytes, RunWatcher watcher) {
        this.options = options;
        this.engine = engine;
        this.backend = backend;
        this.tokens = tokens;
        this.freeBytes = freeBytes;
        this.watcher = watcher;
    }

    /// A measurement after a short one that warms up.
    E2eResult run() {
        warmUp();
        return measure();
    }

    /// A measurement without warming up.
    E2eResult measure() {
        MemoryPlan plan = plan();
        try (BatchRun batch = engine.openBatch(plan.batch(), plan.contextTokens())) {
            E2eResult.Prefill prefill = read(batch);
            options.forcedHitRate().ifPresent(batch::synthesizeHits);
            for (int step = 0; step < options.warmupSteps(); step++) {
                batch.step();
            }
            Selections before = batch.selections();
            long[] nanos = timedSteps(batch);
            Selections after = batch.selections();
            var steps = new E2eResult.Steps(nanos, profiledSteps(batch));
            long selected = after.selected() - before.selected();
            long missed = after.missed() - before.missed();
            KvCacheSpec strategy = engine.options().cache();
            return new E2eResult(
                    strategy.name(),
                    strategy.toString(),
                    tokens,
                    batch.batch(),
                    batch.batch() == plan.largestBatch(),
                    strategy instanceof KvCacheSpec.Shadow && selected == 0,
                    batch.deviceValueLayers(),
                    prefill,
                    steps,
                    selected == 0 ? Double.NaN : 1 - (double) missed / selected,
                    bytes(batch, selected > 0, (double) missed / options.timedSteps()),
                    memory(batch, plan));
        }
    }

    /// The memory plan for the requested or the largest batch, from the memory that is free now.
    private MemoryPlan plan() {
        int capacity = options.capacity(tokens);
        int batch = options.batch().isLargest()
                ? Math.max(1, engine.plan(capacity, 1).largestBatch())
                : options.batch().sequences();
        MemoryPlan plan = engine.plan(capacity, batch);
        if (!plan.isAdmitted()) {
            throw new MemoryPlanException(plan.refusal());
        }
        return plan;
    }

    /// Runs a prompt and two steps that are not measured, so that everything that is compiled,
    /// tuned or grown at first use exists before the clock starts. The prompt is long enough to be
    /// indexed and uses the same groups of prefill rows as the measured prompt.
    private void warmUp() {
        int rows = prefillRows(engine);
        long least = engine.options().cache() instanceof KvCacheSpec.Shadow shadow
                ? shadow.residentTokens(engine.spec().layers()) + 2L * shadow.unitTokens()
                : 1;
        long prompt = (long) rows + tokens % rows;
        while (prompt < least) {
            prompt += rows;
        }
        int[] ids = prompt(-1, (int) Math.min(prompt, tokens));
        engine.logits(ids, ids.length, false, 2, row -> {});
    }

    /// Number of rows of a prompt that the engine computes at a time.
    static int prefillRows(Engine engine) {
        int asked = engine.options().prefillRows();
        return asked > 0 ? asked : engine.backend().prefillRows();
    }

    private E2eResult.Prefill read(BatchRun batch) {
        String name = engine.options().cache().name();
        int prompts = options.clonesPrefill() ? 1 : batch.batch();
        long start = System.nanoTime();
        BatchRun.ReadTimes first;
        Map<OperationKind, Double> parts;
        try (ProgressLine bar = watcher.bar("%s: reading %,d of %,d tokens".formatted(name, prompts, tokens))) {
            watcher.update(bar, 0);
            backend.startTiming();
            first = batch.read(0, prompt(0, tokens), done -> watcher.update(bar, done / prompts));
            parts = seconds(backend.stopTiming(), 1);
            for (int slot = 1; slot < prompts; slot++) {
                int before = slot;
                batch.read(slot, prompt(slot, tokens), done -> watcher.update(bar, (before + done) / prompts));
            }
        }
        var random = new SplittableRandom(options.seed());
        for (int slot = prompts; slot < batch.batch(); slot++) {
            batch.copy(0, slot, random.nextInt(engine.spec().vocabularySize()));
        }
        // Full attention indexes nothing; the microseconds of closing a layer are not reported
        // separately.
        boolean isFull = engine.options().cache() instanceof KvCacheSpec.Full;
        double waited = isFull ? 0 : first.indexingWaitNanos() / 1e9;
        double index = parts.getOrDefault(OperationKind.INDEX, 0.0);
        double chosen = parts.getOrDefault(OperationKind.SCORE, 0.0) + parts.getOrDefault(OperationKind.SELECT, 0.0);
        return new E2eResult.Prefill(
                first.nanos() / 1e9,
                parts,
                isFull || !backend.hasSideQueue() ? waited : index,
                waited,
                // Of full attention, only the mean keys are an index.
                isFull ? chosen + index : chosen,
                first.densities(),
                prompts,
                (System.nanoTime() - start) / 1e9);
    }

    private long[] timedSteps(BatchRun batch) {
        String name = engine.options().cache().name();
        long[] nanos = new long[options.timedSteps()];
        try (ProgressLine bar = watcher.bar("%s: %d sequences decode".formatted(name, batch.batch()))) {
            for (int step = 0; step < nanos.length; step++) {
                watcher.update(bar, (double) step / nanos.length);
                nanos[step] = batch.step();
            }
        }
        return nanos;
    }

    private Map<OperationKind, Double> profiledSteps(BatchRun batch) {
        if (options.profiledSteps() == 0) {
            return Map.of();
        }
        backend.startTiming();
        for (int step = 0; step < options.profiledSteps(); step++) {
            batch.step();
        }
        return seconds(backend.stopTiming(), options.profiledSteps());
    }

    private static Map<OperationKind, Double> seconds(Map<OperationKind, Long> nanos, int runs) {
        Map<OperationKind, Double> seconds = new EnumMap<>(OperationKind.class);
        nanos.forEach((part, taken) -> seconds.put(part, taken / 1e9 / runs));
        return seconds;
    }

    /// @param missed units that the whole batch misses per step
    private StepBytes bytes(BatchRun batch, boolean selects, double missed) {
        var decoding = new StepBytes.Decoding(engine.spec(), batch.stepWeightBytes(), engine.kvType(), batch.batch());
        double generated = 1 + options.warmupSteps() + (options.timedSteps() - 1) / 2.0;
        if (!selects || !(engine.options().cache() instanceof KvCacheSpec.Shadow shadow)) {
            return StepBytes.full(decoding, tokens + generated);
        }
        int unit = shadow.unitTokens();
        int local = shadow.residency().localTokens();
        double recent = Math.min(shadow.recentTokens(), local + tokens % unit + generated);
        double offDevice =
                1 - (double) batch.deviceValueLayers() / engine.spec().layers();
        var index = new StepBytes.Index(
                unit,
                Math.min(shadow.rank(), engine.spec().kvWidth()),
                tokens / unit - local / unit - shadow.index().outlierUnits(),
                shadow.index().entryBytes(engine.spec().headDim(), engine.kvType()),
                missed,
                (double) engine.spec().headDim()
                        * shadow.values().type(engine.kvType()).bytes(),
                backend.isHostDevice() ? 0 : offDevice);
        return StepBytes.shadow(
                decoding,
                shadow.outlierTokens() + shadow.budget().mean(0, engine.spec().layers()) + recent,
                index);
    }

    /// Memory while the batch decodes. A device reports its used memory. If the host computes,
    /// other programs use its memory too, so only what the engine allocated is reported.
    private E2eResult.Memory memory(BatchRun batch, MemoryPlan plan) {
        long allocated = 0;
        long offloaded = 0;
        for (MemoryPlan.Item part : batch.held()) {
            allocated += part.isOffloaded() ? 0 : part.bytes();
            offloaded += part.isOffloaded() ? part.bytes() : 0;
        }
        long taken = backend.isHostDevice() ? allocated : freeBytes - backend.availableBytes(Place.DEVICE);
        List<MemoryPlan.Item> planned = new ArrayList<>(plan.perSequence().parts());
        planned.addAll(plan.workspace());
        return new E2eResult.Memory(
                plan.decodingBytes(), taken, plan.offloadedBytes(), offloaded, planned, batch.held());
    }

    /// Random ids: only the model's work matters here, not its answer.
    private int[] prompt(int number, int length) {
        int vocabulary = engine.spec().vocabularySize();
        return new SplittableRandom(options.seed() * 1_000_003 + number)
                .ints(length, 0, vocabulary)
                .toArray();
    }
}
