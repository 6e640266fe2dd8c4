package io.shadowkv.cache.shadow.index;

import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Device memory of a sequence's layers. The i-th tensors of all layers share one allocation: a
/// device allocates in units of megabytes, and each of hundreds of separate tensors would waste
/// half a unit on average.
///
/// Every layer must request the same tensors in the same order.
public final class LayerMemory {
    private final MemoryScope scope;
    private final int layers;
    private final List<Tensor> stacks = new ArrayList<>();
    private int layer;
    private int next;

    /// @param scope owner of all allocations
    public LayerMemory(MemoryScope scope, int layers) {
        this.scope = scope;
        this.layers = layers;
    }

    /// The scope, for allocations that differ between layers.
    public MemoryScope scope() {
        return scope;
    }

    /// The next tensor of the current layer, filled with zeros.
    public Tensor allocate(DType dtype, int... extents) {
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

    public void nextLayer() {
        layer++;
        next = 0;
    }
}
