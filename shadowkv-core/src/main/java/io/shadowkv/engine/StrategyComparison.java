package io.shadowkv.engine;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/// Reads one prompt once, with full attention, and answers it under several strategies: prefill is exact under
/// all of them, so that only decoding need be run again.
final class StrategyComparison {
    private final EngineOptions options;
    private final Backend backend;
    private final Decoder decoder;
    private final RotaryTables tables;
    private final CacheShape shape;
    private final long weightBytes;

    StrategyComparison(
            EngineOptions options,
            Backend backend,
            Decoder decoder,
            RotaryTables tables,
            CacheShape shape,
            long weightBytes) {
        // The prompt's whole cache takes the memory near the arithmetic that AUTO would give to values.
        this.options = options.valuePlace() == ValuePlace.AUTO ? options.withValuePlace(ValuePlace.HOST) : options;
        this.backend = backend;
        this.decoder = decoder;
        this.tables = tables;
        this.shape = shape;
        this.weightBytes = weightBytes;
    }

    /// @param capacity tokens of prompt and answer
    /// @param turns makes the turn of one strategy from what is planned for it and its cache
    List<Completion> run(Request request, int capacity, List<KvCacheSpec> specs, TurnFactory turns) {
        checkMemory(capacity, specs);
        CacheStrategy full = CacheStrategy.of(new KvCacheSpec.Full(), shape, backend);
        Rotary rotary = tables.forSequence(request.promptIds().length, capacity);
        long start = System.nanoTime();
        List<float[]> logits = new ArrayList<>();
        try (PromptCache reading = full.openPrompt(request.promptIds().length, SequenceSize.of(capacity), rotary)) {
            decoder.prefill(
                    List.of(new PromptRows(request.promptIds(), reading, rotary)),
                    options.prefillRows(backend),
                    done -> {
                        request.listener().reading(done);
                        if (request.cancellation().isRequested()) {
                            throw new CancellationException("cancelled while the prompt was read");
                        }
                    },
                    false,
                    logits::add);
            long prefillNanos = System.nanoTime() - start;
            try (SequenceCache prompt = reading.seal()) {
                List<Completion> completions = new ArrayList<>();
                for (KvCacheSpec spec : specs) {
                    completions.add(answer(
                            spec, request, capacity, (KeyValueSource) prompt, logits.getFirst(), turns, prefillNanos));
                }
                return completions;
            }
        }
    }

    private void checkMemory(int capacity, List<KvCacheSpec> specs) {
        MemoryPlan whole = plan(new KvCacheSpec.Full(), capacity);
        long needed = whole.perSequence().resident() + whole.workspaceBytes();
        long largest = 0;
        for (KvCacheSpec spec : specs) {
            MemoryPlan.SequenceBytes bytes = plan(spec, capacity).perSequence();
            largest = Math.max(largest, bytes.resident() + (whole.hostIsDevice() ? bytes.offloaded() : 0));
        }
        if (needed + largest > whole.availableDeviceBytes()) {
            throw new MemoryPlanException(
                    "comparing strategies on %,d tokens needs %,d bytes for the prompt's whole cache and %,d for the largest other one; available are %,d. Shorten the context, or run the strategies one by one."
                            .formatted(capacity, needed, largest, whole.availableDeviceBytes()));
        }
    }

    private MemoryPlan plan(KvCacheSpec spec, int capacity) {
        CacheStrategy strategy = CacheStrategy.of(spec, shape, backend);
        return new Planner(options.withCache(spec), backend, decoder, strategy, tables, weightBytes).plan(capacity, 1);
    }

    private Completion answer(
            KvCacheSpec spec,
            Request request,
            int capacity,
            KeyValueSource prompt,
            float[] logits,
            TurnFactory turns,
            long prefillNanos) {
        CacheStrategy strategy = CacheStrategy.of(spec, shape, backend);
        EngineOptions own = options.withCache(spec);
        Planner planner = new Planner(own, backend, decoder, strategy, tables, weightBytes);
        PlannedSequence planned = planner.sequence(capacity, 1);
        long start = System.nanoTime();
        try (SequenceCache cache = strategy.openFrom(prompt, request.promptIds().length, planned.size());
                Scheduler scheduler = new Scheduler(own, backend, decoder, strategy, tables, planner)) {
            Sequence sequence = turns.turn(planned, cache);
            sequence.sealNanos = System.nanoTime() - start;
            sequence.prefillNanos = prefillNanos + sequence.sealNanos;
            try {
                sequence.accept(logits.clone());
                scheduler.submit(sequence);
                while (!sequence.isFinished()) {
                    scheduler.step();
                }
                return sequence.completion();
            } finally {
                scheduler.withdraw(List.of(sequence));
                // Not the one above where longrope's border made the scheduler read everything again.
                SequenceCache last = sequence.cache();
                if (last != null) {
                    last.close();
                }
            }
        }
    }

    /// Makes a sequence whose prompt the cache holds already.
    interface TurnFactory {
        Sequence turn(PlannedSequence planned, SequenceCache cache);
    }
}
