package io.shadowkv.cache.shadow;

import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.cache.shadow.index.SelectionIndex;
import io.shadowkv.cache.shadow.index.UnitBuffers;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One layer of one sequence: the resident region, and the index once the sequence no longer fits
/// the region.
final class ShadowLayer {
    private final ShadowLayout layout;
    private final LayerLayout rows;
    private final ShadowOperations shadow;
    private final ResidentBuffer resident;
    private final LowRankKeys lowRankKeys;
    private final SelectionIndex index;
    private final ValueStore valueStore;
    private final ChunkSelector selector;

    /// Owners of a layer's memory.
    ///
    /// @param layer device memory of this layer
    /// @param index device memory of what grows by copying; the same as `layer` if nothing grows
    /// @param device owner of other tensors in device memory
    /// @param host owner of tensors in host memory
    record Memory(LayerMemory layer, LayerMemory index, MemoryScope device, MemoryScope host) {}

    /// Allocates the index as well, for sequences that may outgrow the resident region.
    ///
    /// @param layer index of this layer, which determines where its values lie
    /// @param held values of the layer while the sequence was parked; null for a new sequence
    ShadowLayer(ShadowLayout layout, int layer, Backend backend, Memory memory, @Nullable ValueStore held) {
        this.layout = layout;
        this.rows = layout.layer(layer);
        this.shadow = backend.operations().shadow();
        this.resident = new ResidentBuffer(rows, backend, memory.layer());
        this.lowRankKeys = new LowRankKeys(layout, backend, memory.layer(), memory.index());
        this.index = layout.index().allocate(backend, memory.layer(), memory.index());
        this.valueStore = new ValueStore(
                layout, layout.valuePlace(layer), backend, memory.device(), memory.host(), held);
        this.selector = ChunkSelector.allocate(rows, backend, memory.layer());
    }

    /// A layer that shares the index of `base` and has resident rows of its own.
    private ShadowLayer(ShadowLayer base, LayerLayout rows, Backend backend, LayerMemory memory) {
        this.layout = rows.sequence();
        this.rows = rows;
        this.shadow = base.shadow;
        this.resident = new ResidentBuffer(rows, backend, memory);
        this.lowRankKeys = base.lowRankKeys;
        this.index = base.index;
        this.valueStore = base.valueStore;
        this.selector = ChunkSelector.allocate(rows, backend, memory);
    }

    /// Forks this layer: the index is shared, and the resident rows are empty.
    ///
    /// @param forked layout of this layer in the fork
    ShadowLayer fork(LayerLayout forked, Backend backend, LayerMemory memory) {
        return new ShadowLayer(this, forked, backend, memory);
    }

    ValueStore values() {
        return valueStore;
    }

    /// Maximum number of tokens in the index, outliers included.
    int indexTokens() {
        return lowRankKeys.factor().extent(0);
    }

    /// Moves what grows by copying to more memory.
    ///
    /// @param larger layout of the sequence with that memory
    /// @param tokens number of tokens in the index, outliers included
    /// @param units number of units in the index
    void growIndex(ShadowLayout larger, LayerMemory memory, int tokens, int units) {
        lowRankKeys.grow(larger, memory, tokens);
        index.grow(larger.index(), memory, units);
    }

    ResidentBuffer resident() {
        return resident;
    }

    ChunkSelector selector() {
        return selector;
    }

    /// Indexes a context: factorises its keys, builds the index, copies outliers and recent
    /// tokens to the resident region, and offloads the values.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`, row t belongs to token t
    /// @param values the same shape
    /// @param tokens number of valid rows
    void index(Tensor keys, Tensor values, int tokens, Rotary rotary, IndexScratch scratch) {
        int unitTokens = layout.spec().unitTokens();
        int contextTokens = layout.contextUnits(tokens) * unitTokens;
        lowRankKeys.fit(keys, tokens, contextTokens, rotary, scratch);
        index.build(keys, scratch.units());
        resident.keepOutliers(keys, values, index.outliers());
        resident.addRecent(keys, values, contextTokens, tokens - contextTokens, 0);
        valueStore.offload(values, 0, contextTokens, 0);
    }

    /// Moves the oldest recent tokens into the index.
    ///
    /// @param firstToken position of the oldest; a multiple of the unit
    /// @param recent number of recent tokens before the move
    /// @param indexed number of units in the index before the move
    /// @param scratch activation type `[any, kvWidth]`
    /// @param fresh buffers for the units that move
    void join(int firstToken, int recent, int indexed, Rotary rotary, Tensor scratch, UnitBuffers fresh) {
        AttendedRows held = resident.rows();
        add(held.keys(), held.values(), rows.recentRow(), firstToken, indexed, rotary, scratch, fresh);
        resident.dropRecent(fresh.units() * layout.spec().unitTokens(), recent);
    }

    /// Adds the units of consecutive tokens to the index.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`
    /// @param values the same shape
    /// @param row row of the first token, a multiple of the unit
    /// @param firstToken position of the first token, a multiple of the unit
    /// @param indexed number of units in the index before
    /// @param scratch activation type `[any, kvWidth]`
    /// @param fresh buffers for the units
    void add(
            Tensor keys,
            Tensor values,
            int row,
            int firstToken,
            int indexed,
            Rotary rotary,
            Tensor scratch,
            UnitBuffers fresh) {
        int unitTokens = layout.spec().unitTokens();
        int tokens = fresh.units() * unitTokens;
        lowRankKeys.project(keys, row, tokens, firstToken, rotary, scratch);
        index.extend(keys, row / unitTokens, indexed, fresh);
        valueStore.offload(values, row, tokens, firstToken);
    }

    /// Restores the keys and values of all tokens from the index and the resident rows.
    ///
    /// @param indexedTokens number of tokens in the index, outliers included
    /// @param recent number of recent tokens
    /// @param keys receives rotated keys, `[kvHeads, capacity, headDim]`, row t belongs to token t
    /// @param values the same shape
    void restore(int indexedTokens, int recent, Rotary rotary, Tensor keys, Tensor values) {
        restoreIndexed(indexedTokens, rotary, keys, values);
        resident.restoreRecent(indexedTokens, recent, keys, values);
    }

    /// Restores the keys and values of the indexed tokens, outliers included. Forks restore the same.
    ///
    /// @param indexedTokens number of tokens in the index, outliers included
    /// @param keys receives rotated keys, `[kvHeads, capacity, headDim]`, row t belongs to token t
    /// @param values the same shape
    void restoreIndexed(int indexedTokens, Rotary rotary, Tensor keys, Tensor values) {
        shadow.restoreKeys(lowRankKeys.factor(), lowRankKeys.basis(), indexedTokens, rotary, keys);
        valueStore.restore(indexedTokens, values);
        resident.restoreOutliers(index.outliers(), keys, values);
    }

    /// All tensors except the resident rows, in a fixed order.
    List<Tensor> tensors() {
        return Stream.of(lowRankKeys.tensors(), index.tensors(), valueStore.tensors(), selector.tensors())
                .flatMap(List::stream)
                .toList();
    }

    /// All tensors in device memory except the resident rows, in a fixed order.
    List<Tensor> deviceTensors() {
        return Stream.of(lowRankKeys.tensors(), index.tensors(), valueStore.deviceTensors(), selector.tensors())
                .flatMap(List::stream)
                .toList();
    }

    /// This layer as the operations of a decode step see it.
    IndexedLayer indexed() {
        return new IndexedLayer(
                index.view(),
                new IndexedLayer.KeyFactor(lowRankKeys.factor(), lowRankKeys.basis()),
                valueStore.stored(),
                new IndexedLayer.Residency(
                        resident.rows(),
                        rows.cachedRow(),
                        selector.residentUnits(),
                        selector.slotAges(),
                        selector.selectedSlots(),
                        selector.missUnits(),
                        selector.missSlots(),
                        selector.missCounts(),
                        selector.counters()));
    }

    /// What this layer has selected and fetched.
    LayerFetches fetches(Backend backend) {
        long[] counters = backend.downloadLongs(selector.counters());
        int heads = selector.missCounts().extent(0);
        int[] counts = backend.downloadInts(selector.missCounts());
        int[][] latest = new int[heads][];
        for (int head = 0; head < heads; head++) {
            latest[head] = counts[head] == 0 ? new int[0] : latest(head, counts[head], backend);
        }
        return new LayerFetches(
                counters[0],
                counters[1],
                valueStore.place(),
                valueStore.unitBytes(),
                layout.spec().unitTokens(),
                latest);
    }

    private int[] latest(int head, int count, Backend backend) {
        int[] chunkOf = backend.downloadInts(index.view().unitIds().row(head));
        int[] units = backend.downloadInts(selector.missUnits().row(head));
        return Arrays.stream(units, 0, count).map(unit -> chunkOf[unit]).toArray();
    }
}
