package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Scores of the landmarks: on tensor cores if [StreamedScores] supports the types and sizes,
/// otherwise by [PlainScores]. Used by the main queue's thread.
final class LandmarkScores implements AutoCloseable {
    private final StreamedScores streamed;
    private final PlainScores plain;

    /// @param plain the caller closes it
    LandmarkScores(CudaParts parts, PlainScores plain) {
        this.streamed = new StreamedScores(parts);
        this.plain = plain;
    }

    /// @param queries `[r, queryHeads, headDim]`
    /// @param table `IndexedEntry` of all slots
    /// @param scale factor of the dot products times log2(e)
    /// @param scores F32 `[r, kvHeads, width]`
    void run(Tensor queries, Tensor table, IndexedShape shape, StepRows rows, float scale, Tensor scores) {
        int groupSize = queries.extent(1) / shape.kvHeads();
        if (StreamedScores.takes(shape, queries)) {
            streamed.run(queries, table, shape, rows, PlainScores.padded(groupSize), scale, scores);
            return;
        }
        KernelSource source = KernelSource.of("score_landmarks_any.cu", "scoreLandmarksAny")
                .with("QUERY", KernelTypes.name(queries.dtype()))
                .with("LANDMARK", KernelTypes.name(shape.entries()))
                .with("HEAD_DIM", shape.headDim());
        plain.run(source, groupSize, queries, table, rows, scale, scores);
    }

    @Override
    public void close() {
        streamed.close();
    }
}
