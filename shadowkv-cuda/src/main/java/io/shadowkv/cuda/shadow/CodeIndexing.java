package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.attention.HeadRows;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;

/// The operations that build token codes, once for each layer and group of tokens. Bound by memory.
/// Called from the threads of the main queue and the side queue.
final class CodeIndexing implements AutoCloseable {
    private static final int THREADS = 256;
    /// Keys of a block of `encode_keys.cu`, one for each warp.
    private static final int BLOCK_KEYS = THREADS / 32;
    /// Rows of a part in `mean_keys.cu`, and the most parts of a head: with 8 heads, four blocks for
    /// each multiprocessor.
    private static final int PART_ROWS = 64;

    private static final int MOST_PARTS = 64;

    private final CudaParts parts;
    private final PerQueue<ScratchBuffer> sums;

    CodeIndexing(CudaParts parts) {
        this.parts = parts;
        this.sums = new PerQueue<>(queue -> parts.scratch("sums of keys"));
    }

    void meanKeys(Tensor keys, int count, Tensor means) {
        int heads = keys.extent(0);
        int headDim = keys.extent(2);
        var rows = new HeadRows(keys, 0, count);
        expectMeans(means, heads, headDim);
        if (count == 0 || heads == 0) {
            throw new IllegalArgumentException("the mean of " + count + " keys of " + heads
                    + " heads was asked for; expected at least one of each");
        }
        int pieces = Math.clamp(Math.ceilDiv(count, PART_ROWS), 1, MOST_PARTS);
        Tensor sum = sums.of(parts.queue()).tensor(DType.F64, heads, pieces, headDim);
        KernelSource adder = KernelSource.of("mean_keys.cu", "sumKeys")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("HEAD_DIM", headDim);
        parts.kernel(adder)
                .launch(
                        parts.queue(),
                        new Grid(pieces, heads, 1, THREADS, 0),
                        rows.address(parts.context()),
                        sum,
                        rows.stride(),
                        count);
        Kernel divider = parts.kernel(KernelSource.of("mean_keys.cu", "meanKeys")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("HEAD_DIM", headDim));
        divider.launch(parts.queue(), Grid.of(heads, THREADS), sum, means, pieces, count);
    }

    void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to) {
        int heads = keys.extent(0);
        int headDim = keys.extent(2);
        var rows = new HeadRows(keys, from, count);
        expectMeans(means, heads, headDim);
        ShadowIndexing.expect(codes, DType.I32, "codes");
        ShadowIndexing.expect(scales, DType.BF16, "scales");
        int blocks = codes.extent(1);
        if (codes.extent(0) != heads
                || codes.extent(2) != TokenCodes.words(headDim)
                || scales.extent(0) != heads
                || scales.extent(1) != blocks * TokenCodes.BLOCK_TOKENS) {
            throw new IllegalArgumentException("keys are " + keys.shape() + ", codes " + codes.shape() + ", scales "
                    + scales.shape() + "; expected codes [" + heads + ", blocks, " + TokenCodes.words(headDim) + ", "
                    + TokenCodes.BLOCK_TOKENS + "] and scales [" + heads + ", blocks * " + TokenCodes.BLOCK_TOKENS
                    + "]");
        }
        Objects.checkFromIndexSize(to, count, scales.extent(1));
        if (count == 0 || heads == 0) {
            return;
        }
        Kernel kernel = parts.kernel(KernelSource.of("encode_keys.cu", "encodeKeys")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("HEAD_DIM", headDim));
        kernel.launch(
                parts.queue(),
                new Grid(Math.ceilDiv(count, BLOCK_KEYS), heads, 1, THREADS, 0),
                rows.address(parts.context()),
                means,
                codes,
                scales,
                rows.stride(),
                blocks,
                to,
                count);
    }

    private static void expectMeans(Tensor means, int heads, int headDim) {
        ShadowIndexing.expect(means, DType.F32, "means");
        if (means.extent(0) != heads || means.extent(1) != headDim) {
            throw new IllegalArgumentException(
                    "means are " + means.shape() + "; expected [" + heads + ", " + headDim + "], as the keys have");
        }
    }

    @Override
    public void close() {
        sums.forEach(ScratchBuffer::close);
    }
}
