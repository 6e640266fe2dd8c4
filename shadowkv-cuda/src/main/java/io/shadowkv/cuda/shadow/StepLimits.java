package io.shadowkv.cuda.shadow;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import java.lang.ref.WeakReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The layers that a step's kernels can serve: those of one shape, which kernels are compiled for,
/// with at most as many selected units and slots as a launch has shared memory for. Kernels that
/// meet another layer stop the device (`__trap`), so the host checks this before each launch and
/// replay.
///
/// @param shape shape of all layers
/// @param selectedUnits the largest number of units that a layer selects
/// @param slots the largest number of slots of a layer
record StepLimits(IndexedShape shape, int selectedUnits, int slots) {
    /// The limits of a table's layers, or null if the table has no layer.
    ///
    /// @throws IllegalArgumentException if the layers differ in shape
    static @Nullable StepLimits of(SlotTable<IndexedLayer> layers) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape == null) {
            return null;
        }
        int selectedUnits = 0;
        int slots = 0;
        for (int slot = 0; slot < layers.size(); slot++) {
            IndexedLayer layer = layers.getOrNull(slot);
            if (layer != null) {
                selectedUnits = Math.max(selectedUnits, layer.selectedUnits());
                slots = Math.max(slots, layer.slots());
            }
        }
        return new StepLimits(shape, selectedUnits, slots);
    }

    /// A condition that is true while each layer of a table is within the limits. It does not keep
    /// the table alive, and looks at the layers only if the table has changed.
    ///
    /// @param limits null allows no layer at all
    static BooleanSupplier condition(SlotTable<IndexedLayer> layers, @Nullable StepLimits limits) {
        return new Condition(layers, limits);
    }

    private boolean allows(IndexedLayer layer) {
        return layer.selectedUnits() <= selectedUnits
                && layer.slots() <= slots
                && IndexedShape.of(layer).equals(shape);
    }

    private static final class Condition implements BooleanSupplier {
        private final WeakReference<SlotTable<IndexedLayer>> source;
        private final @Nullable StepLimits limits;
        private long version;

        Condition(SlotTable<IndexedLayer> layers, @Nullable StepLimits limits) {
            this.source = new WeakReference<>(layers);
            this.limits = limits;
            this.version = layers.version();
        }

        @Override
        public boolean getAsBoolean() {
            SlotTable<IndexedLayer> layers = source.get();
            if (layers == null || layers.version() == version) {
                return true;
            }
            for (int slot = 0; slot < layers.size(); slot++) {
                IndexedLayer layer = layers.getOrNull(slot);
                if (layer != null && (limits == null || !limits.allows(layer))) {
                    return false;
                }
            }
            version = layers.version();
            return true;
        }
    }
}
