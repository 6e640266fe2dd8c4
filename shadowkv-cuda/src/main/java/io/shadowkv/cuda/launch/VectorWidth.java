package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.tensor.Tensor;

/// Number of elements that a kernel may move in one access. Stateless.
public final class VectorWidth {
    private static final int LARGEST_BYTES = 16;

    private VectorWidth() {}

    /// The largest power of two that divides `run`, takes at most 16 bytes of each tensor, and is
    /// an alignment of each tensor's start.
    ///
    /// @param run the number of elements of each accessed row, or of each part of a row, is a
    ///     multiple of it
    public static int of(CudaContext context, int run, Tensor... tensors) {
        int width = LARGEST_BYTES;
        while (width > 1 && !fits(context, width, run, tensors)) {
            width /= 2;
        }
        return width;
    }

    private static boolean fits(CudaContext context, int width, int run, Tensor[] tensors) {
        if (run % width != 0) {
            return false;
        }
        for (Tensor tensor : tensors) {
            int bytes = width * tensor.dtype().bytes();
            if (bytes > LARGEST_BYTES || context.address(tensor) % bytes != 0) {
                return false;
            }
        }
        return true;
    }
}
