package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Products of any sizes, types and alignments by `multiply_plain.cu`, for cases that no fast
/// kernel supports. Thread-safe.
public final class PlainProduct {
    private static final int TILE = 32;
    private static final int THREADS = 256;

    private final CudaParts parts;

    public PlainProduct(CudaParts parts) {
        this.parts = parts;
    }

    /// `out = x · weightᵀ + bias`.
    void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor out) {
        int inputs = weight.extent(1);
        int outputs = weight.extent(0);
        int rows = Math.toIntExact(x.elements() / inputs);
        run(x, inputs, 1, weight, inputs, 1, bias, out, rows, outputs, inputs, false);
    }

    /// `gram += keysᵀ · keys`.
    public void gram(Tensor keys, Tensor gram) {
        int width = gram.extent(0);
        int tokens = Math.toIntExact(keys.elements() / width);
        run(keys, 1, width, keys, 1, width, null, gram, width, width, tokens, true);
    }

    /// `out [t, m] = left [t, k] · right [k, m]`.
    public void rows(Tensor left, Tensor right, Tensor out) {
        int depth = left.extent(1);
        int columns = right.extent(1);
        run(left, depth, 1, right, 1, columns, null, out, left.extent(0), columns, depth, false);
    }

    private void run(
            Tensor left,
            long leftRow,
            long leftColumn,
            Tensor right,
            long rightRow,
            long rightColumn,
            @Nullable Tensor bias,
            Tensor out,
            int rows,
            int columns,
            int depth,
            boolean isAdded) {
        Kernel kernel = parts.kernel(KernelSource.of("multiply_plain.cu", "multiplyPlain")
                .with("LEFT", KernelTypes.name(left.dtype()))
                .with("RIGHT", KernelTypes.name(right.dtype()))
                .with("BIAS", KernelTypes.name(bias == null ? right.dtype() : bias.dtype()))
                .with("OUT", KernelTypes.name(out.dtype())));
        Grid grid = new Grid(Math.ceilDiv(columns, TILE), Math.ceilDiv(rows, TILE), 1, THREADS, 0);
        kernel.launch(
                parts.queue(),
                grid,
                left,
                leftRow,
                leftColumn,
                right,
                rightRow,
                rightColumn,
                bias == null ? 0L : parts.context().address(bias),
                out,
                rows,
                columns,
                depth,
                isAdded);
    }
}
