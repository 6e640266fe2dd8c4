package io.shadowkv.tensor;

/// A matrix of weights `[outputs, inputs]` in the form in which its file stores it: plain numbers
/// ([Tensor]), blocks that hold codes and their scales ([BlockWeight]), or codes with scales in
/// other tensors ([GroupedWeight]). A backend with memory of its own keeps the codes and scales in
/// a layout of its own ([PlacedWeight]).
///
/// The operations that multiply by a weight decode it, so that there is one copy of it in memory. A view, like
/// [Tensor]: it owns nothing, is immutable, and can be shared between threads.
public sealed interface Weight permits Tensor, BlockWeight, GroupedWeight, PlacedWeight {
    /// Number of rows: outputs of the product.
    int outputs();

    /// Number of columns: inputs of the product.
    int inputs();

    /// Bytes of codes, scales and zero points together.
    long byteSize();

    /// The format in words, such as `BF16` or `Q4_K`.
    String format();

    /// Rows `from` to `from + count` (exclusive) as a weight of their own, without a copy.
    ///
    /// @throws IndexOutOfBoundsException if there are no such rows
    Weight slice(int from, int count);

    /// Decodes columns `from` to `from + count` (exclusive) of a row to `target[at]` and following:
    /// the definition of the format, one number at a time. Backends decode faster.
    void decode(int row, int from, int count, float[] target, int at);

    /// Decodes a whole row.
    default void decodeRow(int row, float[] target) {
        decode(row, 0, inputs(), target, 0);
    }
}
