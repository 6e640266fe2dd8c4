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

/// A batch whose steps are made by hand, for benchmarks: prompts are read into slots or copied from one slot to
/// another, then all slots take one token a step. The same decoder and caches that answer requests.
///
/// Used by one thread, while its engine does nothing else. Owns its sequences until closed.
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

    /// Sequences of a full batch.
    public int batch() {
        return slots.length;
    }

    /// What the plan gives each sequence.
    public MemoryPlan.SequenceBytes plannedBytes() {
        return planned.bytes();
    }

    /// Layers of each sequence whose values lie in device memory.
    public int deviceValueLayers() {
        return planned.size().deviceValueLayers();
    }

    /// Reads a prompt into a slot, whose sequence, if any, is closed. Its most likely next token is what the slot
    /// takes next.
    public Reading read(int slot, int[] promptIds) {
        return read(slot, promptIds, done -> {});
    }

    /// The same, watched: `progress` hears the share that is done, and ends the reading with an exception.
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
            return new Reading(end - start, watch.sealNanos + end - sealing, watch.leastDeviceBytes);
        }
    }

    /// Copies the sequence of a slot to another one, with memory of its own.
    ///
    /// @param nextId token that the copy takes next; another one than the original's lets them part
    public void copy(int from, int to, int nextId) {
        drop(to);
        fill(to, sequence(from).copy(), nextId);
    }

    private void fill(int slot, SequenceCache sequence, int nextId) {
        slots[slot] = sequence;
        nextIds[slot] = nextId;
        decodeCache.join(slot, sequence);
    }

    /// Decodes one token of every slot that holds a sequence, each slot's most likely one, or what [#take] said.
    /// Steps that make room in a full index take longer.
    ///
    /// @return nanoseconds until the next ids were on the host
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

    /// The token that a slot takes next.
    public int nextId(int slot) {
        return nextIds[slot];
    }

    /// Makes a slot take another token next.
    public void take(int slot, int id) {
        Objects.checkIndex(id, decoder.spec().vocabularySize());
        nextIds[slot] = id;
    }

    /// Replaces selections by synthetic ones, of which about `rate` are resident already; NaN ends it.
    public void synthesizeHits(double rate) {
        decodeCache.synthesizeHits(rate);
    }

    /// Units selected and missed so far, all sequences, layers and heads; waits for the backend. A copy begins with
    /// its original's.
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

    /// Bytes held now, part by part.
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

    /// How a prompt was read.
    ///
    /// @param nanos from the call to the sealed cache
    /// @param sealNanos part of it that reading waited for the strategy's indexing
    /// @param leastDeviceBytes least that the backend said to be available in device memory on the way
    public record Reading(long nanos, long sealNanos, long leastDeviceBytes) {}

    private static final class Watch implements PrefillMonitor {
        private final Backend backend;
        private final DoubleConsumer listener;
        private long sealNanos;
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
        public void layerSealed(long nanos) {
            sealNanos += nanos;
        }
    }
}
