package io.shadowkv.cache.shadow;

import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Device memory of a sequence's layers: the i-th tensor of every layer is a part of one allocation. A
/// device deals in pieces of megabytes, and of hundreds of tensors each would waste half of one.
///
/// Every layer asks for the same tensors in the same order.
final class LayerMemory {
    private final MemoryScope scope;
    private final int layers;
    private final List<Tensor> stacks = new ArrayList<>();
    private int layer;
    private int next;

    /// @param scope owns everything
    LayerMemory(MemoryScope scope, int layers) {
        this.scope = scope;
        this.layers = layers;
    }

    /// For what is not the same in every layer.
    MemoryScope scope() {
        return scope;
    }

    /// The next tensor of the current layer, contents zero.
    Tensor allocate(DType dtype, int... extents) {
        if (layer == 0) {
            int[] all = new int[extents.length + 1];
            all[0] = layers;
            System.arraycopy(extents, 0, all, 1, extents.length);
            stacks.add(scope.allocate(dtype, all));
        }
        Tensor tensor = stacks.get(next++).row(layer);
        if (tensor.dtype() != dtype || !tensor.shape().equals(Shape.of(extents))) {
            throw new IllegalStateException("layer " + layer + " asks for " + dtype + " "
                    + Shape.of(extents) + " where layer 0 had " + tensor.dtype() + " "
                    + tensor.shape());
        }
        return tensor;
    }

    void nextLayer() {
        layer++;
        next = 0;
    }
}
