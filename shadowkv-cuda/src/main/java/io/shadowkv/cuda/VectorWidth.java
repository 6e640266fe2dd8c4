package io.shadowkv.cuda;

import io.shadowkv.tensor.Tensor;

/// How many elements a thread reads or writes at a time. Stateless.
final class VectorWidth {
    private static final int ACCESS_BYTES = 16;

    private VectorWidth() {}

    /// As many elements as 16 bytes hold of the widest type, or 1 where a tensor does not start on such a boundary
    /// or rows are no multiple of that.
    ///
    /// @param rowElements elements from one row to the next; 0 where elements are not in rows
    static int of(CudaContext context, long rowElements, Tensor... tensors) {
        int widest = 1;
        for (Tensor tensor : tensors) {
            widest = Math.max(widest, tensor.dtype().bytes());
        }
        int width = Math.max(1, ACCESS_BYTES / widest);
        for (Tensor tensor : tensors) {
            if (context.address(tensor) % ((long) width * tensor.dtype().bytes()) != 0) {
                return 1;
            }
        }
        return rowElements % width == 0 ? width : 1;
    }
}
