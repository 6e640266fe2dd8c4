package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Runs decode steps: uploads a step's inputs, enqueues (or replays) the whole step, and waits only
/// for the resulting token ids. Owns the activations.
final class DecodeForward implements AutoCloseable {
    /// Maximum number of waves of a recorded step. Steps with more waves, which read a turn of many
    /// tokens, seldom recur in the same shape and are not worth recording.
    private static final int RECORDED_WAVES = 4;

    private final DecoderSpec spec;
    private final DType type;
    private final Backend backend;
    private final LayerForward forward;
    private final FetchSchedule schedule;
    private int leastRows = 1;
    private @Nullable MemoryScope scope;
    private @Nullable Buffers buffers;

    /// @param type of activations
    DecodeForward(DecoderSpec spec, DType type, Backend backend, LayerForward forward) {
        this.spec = spec;
        this.type = type;
        this.backend = backend;
        this.forward = forward;
        this.schedule = new FetchSchedule(backend, forward::layerBytes);
    }

    /// Sets the minimum number of rows of the buffers when they are next allocated, so that a
    /// growing batch does not reallocate them.
    void reserve(int rows) {
        leastRows = Math.max(leastRows, rows);
    }

    /// Bytes of the activations of `rows` rows, each with logits.
    static long bytes(DecoderSpec spec, DType type, int rows) {
        long row = 2L * Integer.BYTES
                + (long) spec.hiddenSize() * type.bytes()
                + (long) spec.vocabularySize() * Float.BYTES;
        return rows * row + Workspace.bytes(spec, type, rows);
    }

    /// Bytes currently allocated.
    long heldBytes() {
        MemoryScope held = scope;
        return held == null ? 0 : held.bytes(Backend.Place.DEVICE);
    }

    StepResult run(DecodeStep step, DecodeCache cache) {
        int rows = step.ids().length;
        // If all logits are wanted, compute them for padding too: this avoids gathering rows.
        int[] logitRows = step.wantsAll() ? IntStream.range(0, rows).toArray() : step.logitRows();
        Buffers held = buffers(rows, logitRows.length);
        DecodeCache.Prepared prepared = cache.prepare(step.waves());
        backend.upload(step.ids(), held.ids().slice(0, rows));
        Runnable enqueue = () -> enqueue(step, logitRows, cache, held, prepared.fetches());
        if (cache.isRecordable() && spec.experts() == null && step.waves().size() <= RECORDED_WAVES) {
            List<Integer> gathered = step.wantsAll()
                    ? List.of()
                    : Arrays.stream(logitRows).boxed().toList();
            backend.replay(new Key(step.waves(), gathered, cache, prepared.shape(), held), enqueue);
        } else {
            enqueue.run();
        }
        if (step.logitRows().length == 0) {
            return new StepResult(backend, held.logits(), new int[0], new int[0]);
        }
        int[] ids = backend.downloadInts(held.nextIds().slice(0, logitRows.length));
        int[] resultRows = step.wantsAll()
                ? step.logitRows()
                : IntStream.range(0, logitRows.length).toArray();
        return new StepResult(backend, held.logits(), ids, resultRows);
    }

    /// The key of a recorded step. Steps with equal keys differ in contents only; tables and
    /// buffers are compared by their place in memory.
    ///
    /// @param gathered rows whose logits are wanted; empty if all are
    private record Key(
            List<DecodeCache.Wave> waves, List<Integer> gathered, DecodeCache cache, Object shape, Buffers buffers) {}

    private void enqueue(
            DecodeStep step, int[] logitRows, DecodeCache cache, Buffers held, DecodeCache.Fetches fetches) {
        DenseOperations dense = backend.operations().dense();
        int rows = step.ids().length;
        Tensor hidden = held.hidden().slice(0, rows);
        Workspace work = held.work().first(rows);
        forward.embed(held.ids().slice(0, rows), hidden);
        new DecodePass(spec, forward, schedule, cache).run(step.waves(), hidden, work, fetches);
        int count = logitRows.length;
        if (count == 0) {
            return;
        }
        Tensor wanted = hidden;
        if (!step.wantsAll()) {
            wanted = work.projected().slice(0, count);
            for (int i = 0; i < count; i++) {
                dense.copy(hidden.slice(logitRows[i], 1), wanted.slice(i, 1));
            }
        }
        Tensor logits = held.logits().slice(0, count);
        forward.head(wanted, work.normed().slice(0, count), logits);
        dense.argmax(logits, held.nextIds().slice(0, count));
    }

    /// Returns buffers for at least `rows` rows and `logitRows` logit rows; reallocates them if a
    /// step needs more.
    private Buffers buffers(int rows, int logitRows) {
        Buffers current = buffers;
        if (current == null || current.work().rows() < rows || current.logits().extent(0) < logitRows) {
            close();
            int held = Math.max(leastRows, rows);
            MemoryScope fresh = backend.newScope("activations of " + held + " decoding rows");
            scope = fresh;
            current = new Buffers(
                    fresh.allocate(DType.I32, held),
                    fresh.allocate(DType.I32, held),
                    fresh.allocate(type, held, spec.hiddenSize()),
                    fresh.allocate(DType.F32, Math.max(leastRows, logitRows), spec.vocabularySize()),
                    Workspace.allocate(spec, type, fresh, held));
            buffers = current;
        }
        return current;
    }

    @Override
    public void close() {
        if (scope != null) {
            backend.synchronize();
            scope.close();
            scope = null;
            buffers = null;
        }
    }

    /// @param ids I32 `[rows]`
    /// @param nextIds I32 `[rows]`, the most likely token after each logit row
    /// @param hidden `[rows, hiddenSize]`
    /// @param logits F32 `[logitRows, vocabulary]`: in a narrower type, different tokens could have
    ///     equal logits
    private record Buffers(Tensor ids, Tensor nextIds, Tensor hidden, Tensor logits, Workspace work) {}
}
