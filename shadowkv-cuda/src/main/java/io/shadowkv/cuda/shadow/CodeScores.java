package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores of token codes: on tensor cores if [StreamedCodeScores] supports the types and sizes,
/// otherwise by [PlainScores]. Used by the main queue's thread.
final class CodeScores implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int WARPS = THREADS / 32;

    private final CudaParts parts;
    private final StreamedCodeScores streamed;
    private final PlainScores plain;
    private final ScratchBuffer turned;

    /// @param plain the caller closes it
    CodeScores(CudaParts parts, PlainScores plain) {
        this.parts = parts;
        this.streamed = new StreamedCodeScores(parts);
        this.plain = plain;
        this.turned = parts.scratch("turned queries");
    }

    /// @param queries `[r, queryHeads, headDim]`
    /// @param table `IndexedEntry` of all slots
    /// @param scale factor of the dot products times log2(e)
    /// @param scores F32 `[r, kvHeads, width]`
    void run(Tensor queries, Tensor table, IndexedShape shape, StepRows rows, float scale, Tensor scores) {
        if (StreamedCodeScores.takes(shape, queries)) {
            streamed.run(queries, table, shape, rows, scale, scores);
            return;
        }
        int count = rows.count() * queries.extent(1);
        Tensor floats = turned.tensor(DType.F32, count, shape.headDim());
        Kernel turn = parts.kernel(KernelSource.of("turn_queries.cu", "turnQueries")
                .with("QUERY", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", shape.headDim()));
        turn.launchEarly(parts.queue(), Grid.of(Math.ceilDiv(count, WARPS), THREADS), queries, floats, count);
        KernelSource source =
                KernelSource.of("score_codes_any.cu", "scoreCodesAny").with("HEAD_DIM", shape.headDim());
        plain.run(source, queries.extent(1) / shape.kvHeads(), floats, table, rows, scale, scores);
    }

    @Override
    public void close() {
        streamed.close();
        turned.close();
    }
}
