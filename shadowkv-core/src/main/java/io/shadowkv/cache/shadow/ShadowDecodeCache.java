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
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A batch under ShadowKV; [#attend] is the paper's decode step (arXiv 2410.21465, algorithm 2).
final class ShadowDecodeCache implements DecodeCache {
    /// Parts of a wave that are selected one after the other where values come over a link, on a queue of their
    /// own: it brings the first part's while the next is scored. More parts leave too few rows to score at a time.
    private static final int MOST_GROUPS = 4;

    /// Rows of a part, at least: fewer do not fill a device.
    private static final int GROUP_ROWS = 4;

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
    private double hitRate = Double.NaN;
    /// First layer of which some sequence's values lie in host memory.
    private int fetchingLayer;

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

    /// Scores of the largest wave; grown when a longer sequence or more rows need it.
    @Override
    public Object prepare(List<Wave> waves) {
        int rows = waves.stream()
                .filter(Wave::isIndexed)
                .mapToInt(wave -> wave.rows().count())
                .max()
                .orElse(0);
        int units = sequences.values().stream()
                .mapToInt(sequence -> sequence.layout().unitCapacity())
                .max()
                .orElse(0);
        Tensor buffer = scoreBuffer;
        if (rows > 0 && (buffer == null || buffer.extent(0) < rows || buffer.extent(2) < units)) {
            close();
            MemoryScope scope = backend.newScope("landmark scores of " + rows + " sequences");
            scoreScope = scope;
            buffer = scope.allocate(DType.F32, rows, shape.kvHeads(), units);
            scoreBuffer = buffer;
        }
        fetchingLayer = sequences.values().stream()
                .mapToInt(sequence -> sequence.layout().size().deviceValueLayers())
                .min()
                .orElse(0);
        return new StepShape(buffer, hitRate, fetchingLayer);
    }

    /// What shapes a step beside its waves; `hitRate` is NaN where the selection is real.
    private record StepShape(@Nullable Tensor scores, double hitRate, int fetchingLayer) {}

    @Override
    public boolean isRecordable() {
        return trace == null;
    }

    @Override
    public void attend(int layer, Tensor queries, Tensor keys, Tensor values, Wave wave, double scale, Tensor out) {
        attention.append(keys, values, resident.get(layer), wave.rows());
        if (wave.isIndexed()) {
            attendSelected(layer, queries, wave, scale, out);
        } else {
            attention.decode(queries, resident.get(layer), wave.rows(), scale, out);
        }
    }

    private void attendSelected(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
        SlotTable<IndexedLayer> chunks = index.get(layer);
        List<Group> groups = groups(layer, wave.rows());
        for (Group group : groups) {
            StepRows rows = group.of(wave.rows());
            Tensor scores = Objects.requireNonNull(scoreBuffer, "the step was not prepared")
                    .slice(group.from(), group.count());
            shadow.scoreLandmarks(group.of(queries), chunks, rows, scoreScale, scores);
            if (!Double.isNaN(hitRate)) {
                shadow.forceHits(scores, chunks, rows, hitRate);
            }
            shadow.select(scores, chunks, rows);
            shadow.fetchValues(chunks, rows);
        }
        for (Group group : groups) {
            StepRows rows = group.of(wave.rows());
            shadow.rebuildKeys(chunks, rows, wave.rotary());
            attention.decodeSelected(group.of(queries), chunks, rows, scale, group.of(out));
        }
        if (trace != null) {
            trace.record(layer, chunks, wave.rows());
        }
    }

    private List<Group> groups(int layer, StepRows rows) {
        boolean isFetched = backend.hasSideQueue() && layer >= fetchingLayer;
        int parts = isFetched ? Math.clamp(rows.count() / GROUP_ROWS, 1, MOST_GROUPS) : 1;
        return IntStream.range(0, parts)
                .mapToObj(part -> {
                    int from = rows.count() * part / parts;
                    return new Group(from, rows.count() * (part + 1) / parts - from);
                })
                .toList();
    }

    /// Consecutive rows of a wave.
    private record Group(int from, int count) {
        Tensor of(Tensor all) {
            return all.slice(from, count);
        }

        StepRows of(StepRows all) {
            return all.slice(from, count);
        }
    }

    @Override
    public void synthesizeHits(double rate) {
        hitRate = rate;
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
