package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Decode attention in float for all types and head dims, `decode_attention_plain.cu`.
final class PlainDecode implements AutoCloseable {
    private static final int THREADS = 256;
    /// Blocks per multiprocessor, if the positions can be divided into that many.
    private static final int BLOCKS_PER_MULTIPROCESSOR = 4;

    private static final int MOST_SPLITS = 32;

    private final CudaParts parts;
    private final ScratchBuffer partials;

    PlainDecode(CudaParts parts) {
        this.parts = parts;
        this.partials = parts.scratch("plain decode attention's partial sums");
    }

    void run(DecodeCase decoded, StepRows rows) {
        int heads = rows.count() * decoded.queryHeads();
        int wanted = BLOCKS_PER_MULTIPROCESSOR * parts.context().multiprocessors() / heads;
        int splits = Math.clamp(wanted, 1, MOST_SPLITS);
        Tensor partial = partials.tensor(DType.F32, heads, splits, decoded.headDim() + 2);
        KernelSource attend = source("decodePlain", decoded);
        parts.kernel(attend)
                .launch(
                        parts.queue(),
                        new Grid(heads, splits, 1, THREADS, 0),
                        decoded.queries(),
                        decoded.table(),
                        rows.slots(),
                        rows.attended(),
                        decoded.kvHeads(),
                        decoded.scale(),
                        partial);
        KernelSource combine = source("combinePlain", decoded);
        parts.kernel(combine)
                .launch(
                        parts.queue(),
                        Grid.of(heads, Math.min(THREADS, Math.ceilDiv(decoded.headDim(), 32) * 32)),
                        partial,
                        rows.slots(),
                        decoded.queryHeads(),
                        splits,
                        decoded.out());
    }

    private static KernelSource source(String function, DecodeCase decoded) {
        return KernelSource.of("decode_attention_plain.cu", function)
                .with("QUERY", KernelTypes.name(decoded.queries().dtype()))
                .with("KEY", KernelTypes.name(decoded.keyType()))
                .with("VALUE", KernelTypes.name(decoded.valueType()))
                .with("OUT", KernelTypes.name(decoded.out().dtype()))
                .with("HEAD_DIM", decoded.headDim())
                .with("GROUP", decoded.groupSize())
                .with("SELECTED", decoded.isSelected() ? 1 : 0);
    }

    @Override
    public void close() {
        partials.close();
    }
}
