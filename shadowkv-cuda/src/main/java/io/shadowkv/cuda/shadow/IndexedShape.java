package io.shadowkv.cuda.shadow;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.DType;
import org.jspecify.annotations.Nullable;

/// What the kernels of a decode step are compiled for: types and extents that all layers of a table share.
/// Capacities, slots and lengths may differ; kernels read those from the table.
///
/// @param stored type of the stored values; codes have scales
record IndexedShape(
        DType landmarks,
        DType factor,
        DType basis,
        DType keys,
        DType values,
        DType stored,
        int kvHeads,
        int headDim,
        int rank,
        int unitTokens) {

    /// The shape of a table's layers, or null where it holds none, so that there is nothing to do.
    ///
    /// @throws IllegalArgumentException if layers differ
    static @Nullable IndexedShape of(SlotTable<IndexedLayer> layers) {
        IndexedShape shape = null;
        for (int slot = 0; slot < layers.size(); slot++) {
            IndexedLayer layer = layers.getOrNull(slot);
            if (layer != null) {
                IndexedShape own = of(layer);
                if (shape != null && !shape.equals(own)) {
                    throw new IllegalArgumentException("slot " + slot + " holds a layer of " + own
                            + ", another slot one of " + shape + "; a batch decodes layers of one shape");
                }
                shape = own;
            }
        }
        return shape;
    }

    static IndexedShape of(IndexedLayer layer) {
        return new IndexedShape(
                layer.landmarks().dtype(),
                layer.factor().dtype(),
                layer.basis().dtype(),
                layer.attended().keys().dtype(),
                layer.attended().values().dtype(),
                layer.storedValues().dtype(),
                layer.landmarks().extent(0),
                layer.landmarks().extent(2),
                layer.factor().extent(1),
                layer.unitTokens());
    }

    /// True for the types that tensor cores multiply here.
    static boolean isHalf(DType dtype) {
        return dtype == DType.BF16 || dtype == DType.F16;
    }
}
