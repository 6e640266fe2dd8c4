package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A batch under ShadowKV; [#attend] is the paper's decode step (arXiv 2410.21465, algorithm 2).
final class ShadowDecodeCache implements DecodeCache {
    private final CacheShape shape;
    private final Backend backend;
    private final AttentionOperations attention;
    private final ShadowOperations shadow;
    private final double scoreScale;
    private final List<SlotTable<AttendedRows>> resident;
    private final List<SlotTable<IndexedLayer>> index;
    private final Map<Integer, ShadowSequence> sequences = new HashMap<>();
    private @Nullable MemoryScope scoreScope;
    private @Nullable Tensor scoreBuffer;
    private @Nullable SelectionTrace trace;

    /// @param scoreScale factor of the landmarks' dot products before the softmax; 1/√headDim (the original
    ///     writes 1/√128 for every head dim)
    ShadowDecodeCache(CacheShape shape, Backend backend, double scoreScale) {
        this.shape = shape;
        this.scoreScale = scoreScale;
        this.backend = backend;
        this.attention = backend.operations().attention();
        this.shadow = backend.operations().shadow();
        this.resident = tables(shape.layers());
        this.index = tables(shape.layers());
    }

    private static <T> List<SlotTable<T>> tables(int layers) {
        return IntStream.range(0, layers).mapToObj(layer -> new SlotTable<T>()).toList();
    }

    @Override
    public void join(int slot, SequenceCache sequence) {
        if (!(sequence instanceof ShadowSequence joining)) {
            throw new IllegalArgumentException(
                    "a " + sequence.getClass().getSimpleName() + " cannot join a batch under ShadowKV");
        }
        sequences.put(slot, joining);
        for (int layer = 0; layer < shape.layers(); layer++) {
            resident.get(layer).set(slot, joining.attended(layer));
            index.get(layer).set(slot, joining.isIndexed() ? joining.indexed(layer) : null);
        }
    }

    @Override
    public void leave(int slot) {
        sequences.remove(slot);
        resident.forEach(table -> table.set(slot, null));
        index.forEach(table -> table.set(slot, null));
    }

    @Override
    public void makeRoom(int slot) {
        ShadowSequence sequence = sequences.get(slot);
        if (sequence == null) {
            throw new IllegalStateException("slot " + slot + " holds no sequence");
        }
        sequence.makeRoom();
        join(slot, sequence);
    }

    @Override
    public void attend(int layer, Tensor queries, Tensor keys, Tensor values, Wave wave, double scale, Tensor out) {
        StepRows rows = wave.rows();
        attention.append(keys, values, resident.get(layer), rows);
        if (wave.isIndexed()) {
            selectChunks(layer, queries, rows, wave.rotary());
        }
        attention.decode(queries, resident.get(layer), rows, scale, out);
    }

    private void selectChunks(int layer, Tensor queries, StepRows rows, Rotary rotary) {
        SlotTable<IndexedLayer> chunks = index.get(layer);
        Tensor scores = scores(rows.count());
        shadow.scoreLandmarks(queries, chunks, rows, scoreScale, scores);
        shadow.select(scores, chunks, rows);
        shadow.fetchValues(chunks, rows);
        shadow.rebuildKeys(chunks, rows, rotary);
        if (trace != null) {
            trace.record(layer, chunks, rows);
        }
    }

    /// Scores of `rows` rows; grown when a longer sequence or more rows need it.
    private Tensor scores(int rows) {
        int units = sequences.values().stream()
                .mapToInt(sequence -> sequence.layout().unitCapacity())
                .max()
                .orElse(0);
        Tensor buffer = scoreBuffer;
        if (buffer == null || buffer.extent(0) < rows || buffer.extent(2) < units) {
            close();
            MemoryScope scope = backend.newScope("landmark scores of " + rows + " sequences");
            scoreScope = scope;
            buffer = scope.allocate(DType.F32, rows, shape.kvHeads(), units);
            scoreBuffer = buffer;
        }
        return buffer.slice(0, rows);
    }

    @Override
    public void trace(@Nullable SelectionListener listener) {
        trace = listener == null ? null : new SelectionTrace(backend, listener);
    }

    @Override
    public void close() {
        if (scoreScope != null) {
            backend.synchronize();
            scoreScope.close();
            scoreScope = null;
            scoreBuffer = null;
        }
    }
}
