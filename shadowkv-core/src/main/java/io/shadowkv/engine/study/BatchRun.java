package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.PrefillMonitor;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.model.StepResult;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;
import io.shadowkv.sampling.Sampler;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

/// A batch whose steps the caller controls, for benchmarks. Prompts are read into slots or copied
/// from one slot to another; then each step decodes one token in every slot. Uses the same decoder
/// and caches as requests.
///
/// Used by one thread while its engine is otherwise idle. Owns its sequences until closed.
public final class BatchRun implements AutoCloseable {
    private final Backend backend;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final RotaryTables tables;
    private final int prefillRows;
    private final PlannedSequence planned;
    private final DecodeCache decodeCache;
    private final StepBuilder steps;
    private final @Nullable SequenceCache[] slots;
    private final int[] nextIds;

    public BatchRun(
            Backend backend,
            Decoder decoder,
            CacheStrategy strategy,
            RotaryTables tables,
            int prefillRows,
            PlannedSequence planned,
            int batch) {
        this.backend = backend;
        this.decoder = decoder;
        this.strategy = strategy;
        this.tables = tables;
        this.prefillRows = prefillRows;
        this.planned = planned;
        this.decodeCache = strategy.openDecode();
        this.steps = new StepBuilder(backend);
        this.slots = new SequenceCache[batch];
        this.nextIds = new int[batch];
        decoder.reserve(backend.rowBucket(batch));
    }

    /// Number of sequences in a full batch.
    public int batch() {
        return slots.length;
    }

    /// The memory that the plan assigns to each sequence.
    public MemoryPlan.SequenceBytes plannedBytes() {
        return planned.bytes();
    }

    /// Number of layers of each sequence whose values lie in device memory.
    public int deviceValueLayers() {
        return planned.size().deviceValueLayers();
    }

    /// Reads a prompt into a slot and closes the slot's previous sequence, if any. The slot's next
    /// token is the most likely one.
    public Reading read(int slot, int[] promptIds) {
        return read(slot, promptIds, done -> {});
    }

    /// Like [#read(int, int[])], and passes the completed share to `progress`. An exception thrown
    /// by `progress` ends the prefill.
    public Reading read(int slot, int[] promptIds, DoubleConsumer progress) {
        drop(slot);
        int capacity = planned.size().capacityTokens();
        Rotary rotary = tables.forSequence(promptIds.length, capacity);
        Watch watch = new Watch(backend, progress);
        long start = System.nanoTime();
        List<float[]> logits = new ArrayList<>();
        try (PromptCache reading = strategy.openPrompt(promptIds.length, planned.size(), rotary)) {
            decoder.prefill(
                    List.of(new PromptRows(promptIds, reading, rotary)), prefillRows, watch, false, logits::add);
            long sealing = System.nanoTime();
            fill(slot, reading.seal(), Sampler.argmax(logits.getFirst()));
            long end = System.nanoTime();
            return new Reading(end - start, watch.indexingWaitNanos + end - sealing, watch.leastDeviceBytes);
        }
    }

    /// Copies the sequence of one slot to another slot, with memory of its own.
    ///
    /// @param nextId next token of the copy; if it differs from the original's, the sequences
    ///     diverge
    public void copy(int from, int to, int nextId) {
        drop(to);
        fill(to, sequence(from).copy(), nextId);
    }

    private void fill(int slot, SequenceCache sequence, int nextId) {
        slots[slot] = sequence;
        nextIds[slot] = nextId;
        decodeCache.join(slot, sequence);
    }

    /// Decodes one token in every slot that holds a sequence: the most likely one, or the one set
    /// with [#take]. Steps that move recent tokens to the index take longer.
    ///
    /// @return nanoseconds until the host had the next ids
    public long step() {
        long start = System.nanoTime();
        List<StepBuilder.Input> parts = new ArrayList<>();
        for (int slot = 0; slot < slots.length; slot++) {
            SequenceCache sequence = slots[slot];
            if (sequence != null) {
                if (sequence.room() == 0) {
                    decodeCache.makeRoom(slot);
                }
                parts.add(new StepBuilder.Input(slot, sequence, new int[] {nextIds[slot]}, true));
            }
        }
        StepBuilder.Built built = steps.build(parts);
        StepResult result = decoder.decode(built.step(), decodeCache);
        for (int i = 0; i < result.size(); i++) {
            nextIds[built.logitSlots()[i]] = result.id(i) >= 0 ? result.id(i) : Sampler.argmax(result.logits(i));
        }
        return System.nanoTime() - start;
    }

    /// The next token of a slot.
    public int nextId(int slot) {
        return nextIds[slot];
    }

    /// Sets the next token of a slot.
    public void take(int slot, int id) {
        Objects.checkIndex(id, decoder.spec().vocabularySize());
        nextIds[slot] = id;
    }

    /// Replaces selections by synthetic ones, of which about `rate` are already resident; NaN ends
    /// it.
    public void synthesizeHits(double rate) {
        decodeCache.synthesizeHits(rate);
    }

    /// Units selected and missed so far, summed over sequences, layers and heads. Waits for the
    /// backend. A copied sequence starts with the counts of its original.
    public SequenceCache.Selections selections() {
        long selected = 0;
        long missed = 0;
        for (SequenceCache sequence : slots) {
            if (sequence != null) {
                SequenceCache.Selections its = sequence.selections();
                selected += its.selected();
                missed += its.missed();
            }
        }
        return new SequenceCache.Selections(selected, missed);
    }

    /// Bytes currently allocated, as a list of items.
    public List<MemoryPlan.Item> held() {
        return List.of(
                new MemoryPlan.Item("weights", decoder.heldWeightBytes(), false),
                new MemoryPlan.Item("rotary tables", tables.heldBytes(), false),
                new MemoryPlan.Item("decode step", decoder.heldDecodeBytes(), false),
                new MemoryPlan.Item("sequences", bytes(Backend.Place.DEVICE), false),
                new MemoryPlan.Item("values", bytes(Backend.Place.HOST), true));
    }

    private long bytes(Backend.Place place) {
        long bytes = 0;
        for (SequenceCache sequence : slots) {
            bytes += sequence == null ? 0 : sequence.bytes(place);
        }
        return bytes;
    }

    private SequenceCache sequence(int slot) {
        SequenceCache held = slots[slot];
        if (held == null) {
            throw new IllegalStateException("slot " + slot + " holds no sequence; read or copy one first");
        }
        return held;
    }

    private void drop(int slot) {
        SequenceCache held = slots[slot];
        if (held != null) {
            decodeCache.leave(slot);
            held.close();
            slots[slot] = null;
        }
    }

    @Override
    public void close() {
        backend.synchronize();
        for (int slot = 0; slot < slots.length; slot++) {
            drop(slot);
        }
        steps.close();
        decodeCache.close();
    }

    /// Measurements of the prefill of one prompt.
    ///
    /// @param nanos time from the call until the cache was sealed
    /// @param indexingWaitNanos part of `nanos` that prefill waited for indexing
    /// @param leastDeviceBytes minimum of the device memory that the backend reported as available
    ///     during prefill
    public record Reading(long nanos, long indexingWaitNanos, long leastDeviceBytes) {}

    private static final class Watch implements PrefillMonitor {
        private final Backend backend;
        private final DoubleConsumer listener;
        private long indexingWaitNanos;
        private long leastDeviceBytes = Long.MAX_VALUE;

        Watch(Backend backend, DoubleConsumer listener) {
            this.backend = backend;
            this.listener = listener;
        }

        @Override
        public void progress(double done) {
            leastDeviceBytes = Math.min(leastDeviceBytes, backend.availableBytes(Backend.Place.DEVICE));
            listener.accept(done);
        }

        @Override
        public void waitedForIndexing(long nanos) {
            indexingWaitNanos += nanos;
        }
    }
}
