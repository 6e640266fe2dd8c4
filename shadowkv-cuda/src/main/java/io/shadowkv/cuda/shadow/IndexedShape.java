package io.shadowkv.cuda.shadow;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.DType;
import org.jspecify.annotations.Nullable;

/// The types and extents that the kernels of a decode step are compiled for. All layers of a table
/// share them. Capacities, slots and lengths may differ; kernels read them from the table.
///
/// @param entries type of the landmarks, or I32 for token codes
/// @param stored type of the stored values; quantised types have scales
record IndexedShape(
        DType entries,
        DType factor,
        DType basis,
        DType keys,
        DType values,
        DType stored,
        int kvHeads,
        int headDim,
        int rank,
        int unitTokens) {

    /// The shape of a table's layers, or null if the table has no layer.
    ///
    /// @throws IllegalArgumentException if the layers differ in shape
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
                switch (layer.index()) {
                    case IndexedLayer.Landmarks landmarks -> landmarks.means().dtype();
                    case IndexedLayer.TokenCodes codes -> codes.codes().dtype();
                },
                layer.keys().factor().dtype(),
                layer.keys().basis().dtype(),
                layer.residency().attended().keys().dtype(),
                layer.residency().attended().values().dtype(),
                layer.stored().dtype(),
                layer.kvHeads(),
                layer.headDim(),
                layer.rank(),
                layer.unitTokens());
    }

    /// True if the index is token codes, false if it is landmarks.
    boolean isCoded() {
        return entries == DType.I32;
    }

    /// True for the types that these kernels multiply on tensor cores.
    static boolean isHalf(DType dtype) {
        return dtype == DType.BF16 || dtype == DType.F16;
    }
}
