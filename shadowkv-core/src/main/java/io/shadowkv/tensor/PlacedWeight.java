package io.shadowkv.tensor;

/// A quantised matrix in a backend's own memory, with its codes and scales in the order in which
/// the backend's kernels read them. Only that backend's operations read it. The
/// [io.shadowkv.op.MemoryScope] that it was placed in owns the memory.
public non-sealed interface PlacedWeight extends Weight {
    /// @throws UnsupportedOperationException always: slice the weight before it is placed
    @Override
    default Weight slice(int from, int count) {
        throw new UnsupportedOperationException("rows " + from + " to " + (from + count) + " of weights " + words()
                + " cannot be sliced after they are placed; slice the weights before");
    }

    /// @throws UnsupportedOperationException always: the memory is not the host's
    @Override
    default void decode(int row, int from, int count, float[] target, int at) {
        throw new UnsupportedOperationException("weights " + words()
                + " are in device memory, and the host cannot decode them; decode the weights of the checkpoint");
    }

    private String words() {
        return "[" + outputs() + ", " + inputs() + "] " + format();
    }
}
