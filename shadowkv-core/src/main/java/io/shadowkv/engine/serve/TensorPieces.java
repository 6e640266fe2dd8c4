package io.shadowkv.engine.serve;

import io.shadowkv.tensor.Tensor;
import java.util.function.Consumer;

/// Splits a tensor into views of limited size.
final class TensorPieces {
    /// Maximum size of a piece: copied in a millisecond over a link of 25 GB/s.
    static final long MAX_BYTES = 16L << 20;

    private TensorPieces() {}

    /// Passes consecutive views, which together are the whole tensor, to `sink`.
    static void of(Tensor tensor, Consumer<Tensor> sink) {
        if (tensor.byteSize() <= MAX_BYTES) {
            sink.accept(tensor);
            return;
        }
        int rows = tensor.extent(0);
        long rowBytes = tensor.byteSize() / rows;
        if (rowBytes > MAX_BYTES) {
            for (int row = 0; row < rows; row++) {
                of(tensor.row(row), sink);
            }
            return;
        }
        int step = (int) (MAX_BYTES / rowBytes);
        for (int from = 0; from < rows; from += step) {
            sink.accept(tensor.slice(from, Math.min(step, rows - from)));
        }
    }
}
