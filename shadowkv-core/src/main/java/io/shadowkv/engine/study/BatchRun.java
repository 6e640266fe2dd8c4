package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.batch.Batch;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.model.StepResult;
import io.shadowkv.op.Backend;
import io.shadowkv.sampling.Sampler;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleConsumer;

/// A batch whose steps the caller controls, for benchmarks. Prompts are read into slots or copied
/// from one slot to another; then each step decodes one token in every slot. Uses the same decoder
/// and caches as requests.
///
/// Used by the thread that opened it. Until it is closed, requests of other threads wait. Owns its
/// sequences.
public final class BatchRun implements AutoCloseable {
    private final LoadedModel model;
    private final CacheStrategy strategy;
    private final int prefillRows;
    private final PlannedSequence planned;
    private final Batch batch;
    private final int[] nextIds;
    private final Runnable onClose;
    private boolean isClosed;

    /// @param prefillRows maximum number of rows that prefill computes at a time
    /// @param planned size of each sequence
    /// @param batch number of sequences
    /// @param onClose called once, when the batch is closed
    private BatchRun(
            LoadedModel model,
            CacheStrategy strategy,
            int prefillRows,
            PlannedSequence planned,
            int batch,
            Runnable onClose) {
        this.model = model;
        this.strategy = strategy;
        this.prefillRows = prefillRows;
        this.planned = planned;
        this.batch = new Batch(model, strategy, batch);
        this.nextIds = new int[batch];
        this.onClose = onClose;
    }

    /// Opens a batch.
    ///
    /// @param onClose called when the batch is closed, or cannot be opened
    public static BatchRun open(
            LoadedModel model,
            CacheStrategy strategy,
            int prefillRows,
            PlannedSequence planned,
            int batch,
            Runnable onClose) {
        try {
            return new BatchRun(model, strategy, prefillRows, planned, batch, onClose);
        } catch (RuntimeException | Error e) {
            onClose.run();
            throw e;
        }
    }

    /// Bytes of the weights that a step of the whole batch reads once; of experts, those that are
    /// expected to be chosen.
    public double stepWeightBytes() {
        return model.decoder().stepWeightBytes(batch());
    }

    /// Number of sequences in a full batch.
    public int batch() {
        return batch.size();
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
    public ReadTimes read(int slot, int[] promptIds) {
        return read(slot, promptIds, done -> {});
    }

    /// Like [#read(int, int[])], and passes the completed share to `progress`. An exception thrown
    /// by `progress` ends the prefill.
    public ReadTimes read(int slot, int[] promptIds, DoubleConsumer progress) {
        drop(slot);
        long[] leastDeviceBytes = {Long.MAX_VALUE};
        long start = System.nanoTime();
        var prompts = List.of(new Reading.Prompt(promptIds, planned.size()));
        try (Reading reading = Reading.open(model, strategy, prompts, prefillRows)) {
            reading.run(done -> {
                leastDeviceBytes[0] =
                        Math.min(leastDeviceBytes[0], model.backend().availableBytes(Backend.Place.DEVICE));
                progress.accept(done);
            });
            int next = Sampler.argmax(reading.logits(0));
            long sealing = System.nanoTime();
            List<LayerDensity> densities = reading.densities(0);
            fill(slot, reading.seal(0), next);
            long end = System.nanoTime();
            return new ReadTimes(
                    end - start, reading.indexingWaitNanos() + end - sealing, leastDeviceBytes[0], densities);
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
        batch.join(slot, sequence);
        nextIds[slot] = nextId;
    }

    /// Decodes one token in every slot that holds a sequence: the most likely one, or the one set
    /// with [#take]. Steps that move recent tokens to the index take longer.
    ///
    /// @return nanoseconds until the host had the next ids
    public long step() {
        long start = System.nanoTime();
        List<Batch.Input> inputs = new ArrayList<>();
        for (int slot = 0; slot < batch.size(); slot++) {
            if (batch.at(slot) != null) {
                batch.makeRoom(slot);
                inputs.add(new Batch.Input(slot, new int[] {nextIds[slot]}, true));
            }
        }
        Batch.Result result = batch.step(inputs);
        StepResult rows = result.rows();
        for (int i = 0; i < result.size(); i++) {
            nextIds[result.slot(i)] = rows.id(i) >= 0 ? rows.id(i) : Sampler.argmax(rows.logits(i));
        }
        return System.nanoTime() - start;
    }

    /// The next token of a slot.
    public int nextId(int slot) {
        return nextIds[slot];
    }

    /// Sets the next token of a slot.
    public void take(int slot, int id) {
        Objects.checkIndex(id, model.decoder().spec().vocabularySize());
        nextIds[slot] = id;
    }

    /// Replaces selections by synthetic ones, of which about `rate` are already resident; NaN ends
    /// it.
    public void synthesizeHits(double rate) {
        batch.decodeCache().synthesizeHits(rate);
    }

    /// Units selected and missed so far, summed over sequences, layers and heads. Waits for the
    /// backend. A copied sequence starts with the counts of its original.
    public SequenceCache.Selections selections() {
        long selected = 0;
        long missed = 0;
        for (int slot = 0; slot < batch.size(); slot++) {
            SequenceCache sequence = batch.at(slot);
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
                new MemoryPlan.Item("weights", model.decoder().heldWeightBytes(), false),
                new MemoryPlan.Item("rotary tables", model.rotary().heldBytes(), false),
                new MemoryPlan.Item("decode step", model.decoder().heldDecodeBytes(), false),
                new MemoryPlan.Item("sequences", bytes(Backend.Place.DEVICE), false),
                new MemoryPlan.Item("values", bytes(Backend.Place.HOST), true));
    }

    private long bytes(Backend.Place place) {
        long bytes = 0;
        for (int slot = 0; slot < batch.size(); slot++) {
            SequenceCache sequence = batch.at(slot);
            bytes += sequence == null ? 0 : sequence.bytes(place);
        }
        return bytes;
    }

    private SequenceCache sequence(int slot) {
        SequenceCache held = batch.at(slot);
        if (held == null) {
            throw new IllegalStateException("slot " + slot + " holds no sequence; read or copy one first");
        }
        return held;
    }

    private void drop(int slot) {
        SequenceCache held = batch.at(slot);
        if (held != null) {
            batch.leave(slot);
            held.close();
        }
    }

    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        try {
            model.backend().synchronize();
            for (int slot = 0; slot < batch.size(); slot++) {
                drop(slot);
            }
            batch.close();
        } finally {
            onClose.run();
        }
    }

    /// Measurements of the prefill of one prompt.
    ///
    /// @param nanos time from the call until the cache was sealed
    /// @param indexingWaitNanos part of `nanos` that prefill waited for indexing
    /// @param leastDeviceBytes minimum of the device memory that the backend reported as available
    ///     during prefill
    /// @param densities how much of each layer's attention was computed; empty if the prompt was read
    ///     exactly
    public record ReadTimes(long nanos, long indexingWaitNanos, long leastDeviceBytes, List<LayerDensity> densities) {}
}
