package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.KvCacheSpec;
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
    /// Shares that are told apart: a step is recorded anew for each.
    private static final int SHARES = 4;

    private final KvCacheSpec.Shadow.Budget budget;
    /// For each layer, the place of its budget among the distinct ones.
    private final int[] kinds;
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

    /// Units are scored with the scale of attention, usually 1/√headDim (the original writes 1/√128 for
    /// every head dim).
    ShadowDecodeCache(KvCacheSpec.Shadow spec, CacheShape shape, Backend backend) {
        this.budget = spec.budget();
        this.kinds = IntStream.range(0, shape.layers())
                .map(layer -> budget.distinct().indexOf(budget.ofLayer(layer)))
                .toArray();
        this.shape = shape;
        this.scoreScale = shape.attentionScale();
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
    public boolean beginRoom(int slot) {
        ShadowSequence sequence = sequences.get(slot);
        if (sequence == null) {
            throw new IllegalStateException("slot " + slot + " holds no sequence");
        }
        boolean isDone = sequence.beginRoom();
        if (isDone) {
            join(slot, sequence);
        }
        return isDone;
    }

    @Override
    public void settle(int slot) {
        ShadowSequence sequence = sequences.get(slot);
        if (sequence != null && sequence.isBeingIndexed()) {
            makeRoom(slot);
        }
    }

    /// Scores of the largest wave; grown when a longer sequence or more rows need it.
    @Override
    public Prepared prepare(List<Wave> waves) {
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
            MemoryScope scope = backend.newScope("unit scores of " + rows + " sequences");
            scoreScope = scope;
            buffer = scope.allocate(DType.F32, rows, shape.kvHeads(), units);
            scoreBuffer = buffer;
        }
        Fetches fetches = fetches();
        return new Prepared(new StepShape(buffer, hitRate, fetches), fetches);
    }

    private Fetches fetches() {
        int fromLayer = sequences.values().stream()
                .mapToInt(ShadowDecodeCache::deviceValueLayers)
                .min()
                .orElse(shape.layers());
        int fetching = shape.layers() - fromLayer;
        if (fetching <= 0) {
            return Fetches.NONE;
        }
        double share = sequences.values().stream()
                .mapToDouble(sequence -> (double) Math.max(0, shape.layers() - deviceValueLayers(sequence)) / fetching)
                .average()
                .orElse(0);
        // All sequences have the strategy's value type.
        ShadowLayout layout = sequences.values().iterator().next().layout();
        double selected = (double) shape.kvWidth()
                * budget.mean(fromLayer, shape.layers())
                * layout.valueType().bytes();
        return new Fetches(fromLayer, selected * Math.round(SHARES * share) / SHARES);
    }

    private static int deviceValueLayers(ShadowSequence sequence) {
        return sequence.layout().size().deviceValueLayers();
    }

    /// What shapes a step in addition to its waves; `hitRate` is NaN where the selection is real.
    private record StepShape(@Nullable Tensor scores, double hitRate, Fetches fetches) {}

    @Override
    public boolean isRecordable() {
        return trace == null;
    }

    /// The rows of a wave as a layer has them. Whole sequences have the same rows in all layers.
    private StepRows rows(int layer, Wave wave) {
        return kinds[layer] == 0 || !wave.isIndexed()
                ? wave.rows()
                : wave.shifted().get(kinds[layer] - 1);
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values, Wave wave) {
        attention.append(keys, values, resident.get(layer), rows(layer, wave));
    }

    @Override
    public void choose(int layer, Tensor queries, Wave wave) {
        if (!wave.isIndexed()) {
            return;
        }
        SlotTable<IndexedLayer> chunks = index.get(layer);
        StepRows rows = rows(layer, wave);
        Tensor scores =
                Objects.requireNonNull(scoreBuffer, "the step was not prepared").slice(0, rows.count());
        shadow.scoreUnits(queries, chunks, rows, scoreScale, scores);
        if (!Double.isNaN(hitRate)) {
            shadow.forceHits(scores, chunks, rows, hitRate);
        }
        shadow.select(scores, chunks, rows);
        shadow.fetchValues(chunks, rows);
    }

    @Override
    public void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
        StepRows rows = rows(layer, wave);
        if (!wave.isIndexed()) {
            attention.decode(queries, resident.get(layer), rows, scale, out);
            return;
        }
        SlotTable<IndexedLayer> chunks = index.get(layer);
        shadow.rebuildKeys(chunks, rows, wave.rotary().of(layer));
        attention.decodeSelected(queries, chunks, rows, scale, out);
        if (trace != null) {
            trace.record(layer, chunks, rows);
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
