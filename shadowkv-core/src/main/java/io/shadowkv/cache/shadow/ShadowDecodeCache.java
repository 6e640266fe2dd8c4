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

/// A batch under ShadowKV; [#choose] and [#attend] are the paper's decode step (arXiv 2410.21465, algorithm 2).
final class ShadowDecodeCache implements DecodeCache {
    /// Parts of a wave that are selected one after the other where values come over a link, on a queue of their
    /// own: it brings the first part's while the next is scored. More parts leave too few rows to score at a time.
    private static final int MOST_PARTS = 4;

    /// Rows of a part, at least: fewer do not fill a device.
    private static final int PART_ROWS = 4;

    /// Parts of a wave that take turns in computing and fetching.
    private static final int TURNS = 2;

    /// Share of the selected units that a step is expected to miss (the paper's hit rate is 60 %).
    private static final double MISS_RATE = 0.4;

    /// How many times as long as a byte of device memory one over a link takes: 4.2 TB/s and 50 GB/s on an
    /// H200. Other devices differ, and turns pay from another size on.
    private static final double LINK_COST = 80;

    /// How many times as long as reading its weights a layer's fetches must take for turns, which read
    /// them once more. On an H200 a step grew by 3 % at 2.5 times, stayed at 3.1, shrank by 6 % at 4.3
    /// and by 16 % at 4.9.
    private static final double LINK_BOUND = 3.2;

    /// Shares that are told apart: a step is recorded anew for each.
    private static final int SHARES = 4;

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
    /// Share of the sequences that fetch in such a layer, in the mean, rounded.
    private double fetchingShare;

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
        fetchingShare = fetchingShare();
        return new StepShape(buffer, hitRate, fetchingLayer, fetchingShare);
    }

    private double fetchingShare() {
        int fetching = Math.max(1, shape.layers() - fetchingLayer);
        double share = sequences.values().stream()
                .mapToInt(sequence -> sequence.layout().size().deviceValueLayers())
                .mapToDouble(near -> (double) Math.max(0, shape.layers() - near) / fetching)
                .average()
                .orElse(0);
        return Math.round(SHARES * share) / (double) SHARES;
    }

    /// What shapes a step beside its waves; `hitRate` is NaN where the selection is real.
    private record StepShape(@Nullable Tensor scores, double hitRate, int fetchingLayer, double fetchingShare) {}

    @Override
    public boolean isRecordable() {
        return trace == null;
    }

    @Override
    public Division divide(Wave wave, long layerBytes, boolean mayTakeTurns) {
        int rows = wave.rows().count();
        if (!wave.isIndexed() || !backend.hasSideQueue() || fetchingLayer >= shape.layers()) {
            return Division.NONE;
        }
        return mayTakeTurns && takesTurns(rows, layerBytes)
                ? new Division(fetchingLayer, TURNS, true)
                : new Division(fetchingLayer, Math.clamp(rows / PART_ROWS, 1, MOST_PARTS), false);
    }

    private boolean takesTurns(int rows, long layerBytes) {
        // All sequences have the strategy's budget and value type.
        ShadowLayout layout = sequences.values().iterator().next().layout();
        double selected = fetchingShare * rows * shape.kvWidth() * layout.spec().sparseBudget();
        double fetched = MISS_RATE * selected * layout.valueType().bytes();
        return rows >= TURNS * PART_ROWS && fetched * LINK_COST > LINK_BOUND * layerBytes;
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values, Wave wave) {
        attention.append(keys, values, resident.get(layer), wave.rows());
    }

    @Override
    public void choose(int layer, Tensor queries, Wave wave) {
        if (!wave.isIndexed()) {
            return;
        }
        SlotTable<IndexedLayer> chunks = index.get(layer);
        StepRows rows = wave.rows();
        Tensor scores =
                Objects.requireNonNull(scoreBuffer, "the step was not prepared").slice(0, rows.count());
        shadow.scoreLandmarks(queries, chunks, rows, scoreScale, scores);
        if (!Double.isNaN(hitRate)) {
            shadow.forceHits(scores, chunks, rows, hitRate);
        }
        shadow.select(scores, chunks, rows);
        shadow.fetchValues(chunks, rows);
    }

    @Override
    public void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
        if (!wave.isIndexed()) {
            attention.decode(queries, resident.get(layer), wave.rows(), scale, out);
            return;
        }
        SlotTable<IndexedLayer> chunks = index.get(layer);
        shadow.rebuildKeys(chunks, wave.rows(), wave.rotary());
        attention.decodeSelected(queries, chunks, wave.rows(), scale, out);
        if (trace != null) {
            trace.record(layer, chunks, wave.rows());
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
