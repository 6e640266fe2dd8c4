package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy.Allocation;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.cache.shadow.index.IndexShape;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The extents of everything that one sequence stores, computed from the spec, the decoder's shape
/// and the sequence's size.
///
/// While a sequence fits the resident region of every layer, it is "whole": row t belongs to token t.
///
/// @param indexCapacity maximum number of tokens of the sequence that has the index: this one, or the
///     one that a fork shares it with
/// @param recentTokens maximum number of recent tokens: those of the spec, or more in a fork, which
///     never adds tokens to the index that it shares
/// @param attention how prompts and turns attend while they are read
record ShadowLayout(
        KvCacheSpec.Shadow spec,
        CacheShape shape,
        SequenceSize size,
        int indexCapacity,
        int recentTokens,
        PrefillAttention attention) {
    ShadowLayout(KvCacheSpec.Shadow spec, CacheShape shape, SequenceSize size, PrefillAttention attention) {
        this(spec, shape, size, size.capacityTokens(), spec.recentTokens(), attention);
    }

    /// The layout of a fork, which shares the index.
    ///
    /// @param recent maximum number of its recent tokens
    ShadowLayout forked(int capacity, int recent) {
        SequenceSize forked = new SequenceSize(capacity, size.deviceValueLayers());
        return new ShadowLayout(spec, shape, forked, indexCapacity, recent, attention);
    }

    /// The layout of a sequence of another capacity.
    ShadowLayout withCapacity(int tokens) {
        return new ShadowLayout(spec, shape, new SequenceSize(tokens, size.deviceValueLayers()), attention);
    }

    /// @throws IllegalArgumentException if a sequence of this layout cannot have been saved like this
    void checkRestored(long length, boolean isIndexed) {
        if (length < 1 || length > capacity() || (isIndexed && isAlwaysWhole())) {
            throw new IllegalArgumentException("a saved sequence has " + length + " tokens and "
                    + (isIndexed ? "an index" : "no index") + "; expected 1 to " + capacity()
                    + " tokens of a sequence that " + (isAlwaysWhole() ? "is kept whole" : "may be indexed"));
        }
    }

    /// Maximum number of tokens of the sequence.
    int capacity() {
        return size.capacityTokens();
    }

    /// True if the sequence can never outgrow the resident region, so that it needs no index.
    boolean isAlwaysWhole() {
        return capacity() <= wholeRows();
    }

    /// Maximum number of tokens of a whole sequence.
    int residentRows() {
        return Math.min(capacity(), wholeRows());
    }

    /// Rows of the layer that has the fewest.
    private int wholeRows() {
        return spec.residentTokens(shape.layers()) - spec.recentTokens() + recentTokens;
    }

    /// The rows and the selection of a layer without a budget of its own.
    LayerLayout base() {
        return withBudget(spec.sparseBudget());
    }

    /// The rows and the selection of a layer.
    LayerLayout layer(int layer) {
        return withBudget(spec.budget().ofLayer(layer));
    }

    /// A layer cannot select more than the index can hold.
    private LayerLayout withBudget(int budget) {
        int most = isAlwaysWhole() ? budget + spec.spareTokens() : unitCapacity() * spec.unitTokens();
        return new LayerLayout(this, Math.min(budget, most), Math.min(budget + spec.spareTokens(), most));
    }

    /// For each budget of [KvCacheSpec.Shadow.Budget#distinct] except the first, how many rows later
    /// the recent tokens begin than in a layer without a budget of its own.
    List<Integer> recentRowShifts() {
        int base = base().recentRow();
        return spec.budget().distinct().stream()
                .skip(1)
                .map(budget -> withBudget(budget).recentRow() - base)
                .toList();
    }

    /// The fewest units that a layer selects.
    int leastSelectedUnits() {
        return IntStream.range(0, shape.layers())
                .map(layer -> layer(layer).selectedUnits())
                .min()
                .orElse(0);
    }

    /// Columns of the key factorisation.
    int rank() {
        return Math.min(spec.rank(), shape.kvWidth());
    }

    /// Maximum number of units in the index, not counting outliers.
    int unitCapacity() {
        return indexCapacity / spec.unitTokens() - spec.index().outlierUnits();
    }

    /// The extents of the index of a layer, for the tokens that have memory now.
    IndexShape index() {
        int units = indexedTokens() / spec.unitTokens() - spec.index().outlierUnits();
        return new IndexShape(spec.index(), shape, Math.max(0, units));
    }

    /// True if the index grows.
    boolean grows() {
        return size.grows() && !isAlwaysWhole();
    }

    /// Tokens of each extent of the value store. A sequence whose first reservation fits the
    /// resident region begins without memory for an index, so that its first extent is empty.
    List<Integer> valueExtents() {
        int unit = spec.unitTokens();
        int most = indexCapacity / unit * unit;
        if (!grows()) {
            return List.of(most);
        }
        int first = size.reservation().firstTokens();
        int next = first <= residentRows() ? 0 : first / unit * unit;
        List<Integer> extents = new ArrayList<>(List.of(next));
        int left = most - next;
        for (int i = 0; i < size.reservation().extents() && left > 0; i++) {
            int tokens = Math.min(left, Math.ceilDiv(size.reservation().extentTokens(), unit) * unit);
            extents.add(tokens);
            left -= tokens;
        }
        return extents;
    }

    /// Number of tokens that can be indexed with the memory that there is now, counting outliers: the
    /// rows of the key factor and of the value store.
    int indexedTokens() {
        return valueExtents().stream().mapToInt(Integer::intValue).sum();
    }

    /// The layout of the same sequence with other memory.
    ShadowLayout withSize(SequenceSize other) {
        return new ShadowLayout(spec, shape, other, indexCapacity, recentTokens, attention);
    }

    /// The layout of the same sequence with memory to index so many tokens.
    ShadowLayout grownFor(int tokens) {
        ShadowLayout larger = this;
        while (larger.indexedTokens() < tokens) {
            larger = withSize(larger.size.withExtents(larger.size.reservation().extents() + 1));
        }
        return larger;
    }

    /// Bytes of what grows by copying, for one layer.
    long growingLayerBytes() {
        return index().growingBytes()
                + (long) indexedTokens() * rank() * shape.kvType().bytes();
    }

    /// Bytes of device memory that does not grow by copying.
    long fixedBytes() {
        long all = parts().stream()
                .filter(part -> part.place() == Place.DEVICE)
                .mapToLong(Allocation::bytes)
                .sum();
        return grows() ? all - shape.layers() * growingLayerBytes() : all;
    }

    /// Bytes of a fork.
    long forkBytes() {
        return forkParts().stream().mapToLong(Allocation::bytes).sum();
    }

    /// Units of a context of `tokens` tokens: all except the local tokens and the remainder of a
    /// unit.
    int contextUnits(int tokens) {
        return tokens / spec.unitTokens() - spec.residency().localTokens() / spec.unitTokens();
    }

    /// Type of stored values.
    DType valueType() {
        return spec.values().type(shape.kvType());
    }

    /// Where the stored values of `layer` lie.
    Place valuePlace(int layer) {
        return layer < size.deviceValueLayers() ? Place.DEVICE : Place.HOST;
    }

    /// The memory of all layers as a list of allocations.
    List<Allocation> parts() {
        long kv = shape.kvType().bytes();
        List<Allocation> parts = new ArrayList<>();
        add(parts, "resident keys and values", residentBytes(), 1);
        if (isAlwaysWhole()) {
            return parts;
        }
        add(parts, spec.index().name(), index().entryBytes(), shape.layers());
        add(parts, "low-rank keys", ((long) indexedTokens() + shape.kvWidth()) * rank() * kv, shape.layers());
        add(parts, "selection tables", selectorBytes() + shape.layers() * index().tableBytes(), 1);
        long scales = (long) shape.kvHeads() * indexedTokens() * DType.BF16.bytes();
        add(parts, "value scales", spec.values().isQuantised() ? scales : 0, shape.layers());
        long values = (long) shape.kvWidth() * indexedTokens() * valueType().bytes();
        int near = Math.min(size.deviceValueLayers(), shape.layers());
        add(parts, "values of the first %d layers".formatted(near), values, near);
        parts.add(new Allocation("values", values * (shape.layers() - near), Place.HOST));
        return parts;
    }

    /// The memory of a fork, which has resident rows and selection tables of its own.
    List<Allocation> forkParts() {
        List<Allocation> parts = new ArrayList<>();
        add(parts, "resident keys and values", residentBytes(), 1);
        add(parts, "selection tables", selectorBytes(), 1);
        return parts;
    }

    private long residentBytes() {
        long rows = IntStream.range(0, shape.layers())
                .mapToLong(layer -> layer(layer).residentRows())
                .sum();
        return 2L * shape.kvWidth() * rows * shape.kvType().bytes();
    }

    private long selectorBytes() {
        return IntStream.range(0, shape.layers())
                .mapToLong(layer -> layer(layer).selectorBytes())
                .sum();
    }

    private static void add(List<Allocation> parts, String name, long bytesPerLayer, int layers) {
        if (bytesPerLayer * layers > 0) {
            parts.add(new Allocation(name, bytesPerLayer * layers, Place.DEVICE));
        }
    }
}
