package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.SlotMirror;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Decode attention on tensor cores, `decode_attention.cu`: 16-bit queries, keys and values of one
/// type, head dims that are multiples of 16 up to 256. One block per multiprocessor for all
/// lengths; the kernel divides the work.
final class TiledDecode implements AutoCloseable {
    private static final int LARGEST_HEAD_DIM = 256;
    /// Bytes of a vector load; keys and values of every slot are aligned to them.
    private static final int ALIGNMENT = 16;
    /// Keys of a warp in a tile.
    private static final int KEYS = 16;
    /// The kernel keeps the number of valid positions of each stage in 16 of 64 bits.
    private static final int MOST_STAGES = 4;
    /// Static shared memory: tables of rows, and data that warps exchange.
    private static final int STATIC_SHARED_BYTES = 4096;

    private final CudaParts parts;
    private final ScratchBuffer partials;
    private final ScratchBuffer counters;

    TiledDecode(CudaParts parts) {
        this.parts = parts;
        this.partials = parts.scratch("decode attention's partial sums");
        this.counters = parts.scratch("decode attention's counters");
    }

    boolean takes(DecodeCase decoded) {
        DType type = decoded.queries().dtype();
        return (type == DType.BF16 || type == DType.F16)
                && decoded.keyType() == type
                && decoded.valueType() == type
                && decoded.headDim() % KEYS == 0
                && decoded.headDim() <= LARGEST_HEAD_DIM
                && isAligned(decoded.queries())
                && isAligned(decoded.region().keys())
                && isAligned(decoded.region().values());
    }

    private boolean isAligned(Tensor tensor) {
        return parts.context().address(tensor) % ALIGNMENT == 0;
    }

    void run(DecodeCase decoded, StepRows rows) {
        Plan plan = Plan.of(decoded, parts.context().sharedBytesPerBlock() - STATIC_SHARED_BYTES);
        Kernel kernel = parts.kernel(plan.source(decoded));
        int blocks = parts.freeMultiprocessors();
        Tensor partial = partials.tensor(DType.F32, blocks, 2, plan.queries() * (decoded.headDim() + 2));
        // Zeros when new; every launch leaves zeros.
        Tensor counter = counters.tensor(DType.I32, SlotMirror.CAPACITY, decoded.kvHeads(), plan.slices());
        Grid grid = Grid.of(blocks, 32 * plan.warps()).withShared(plan.sharedBytes());
        for (int from = 0; from < rows.count(); from += SlotMirror.CAPACITY) {
            int count = Math.min(SlotMirror.CAPACITY, rows.count() - from);
            kernel.launchEarly(
                    parts.queue(),
                    grid,
                    decoded.queries().slice(from, count),
                    decoded.table(),
                    rows.slots().slice(from, count),
                    rows.attended().slice(from, count),
                    count,
                    decoded.kvHeads(),
                    decoded.scale(),
                    decoded.out().slice(from, count),
                    partial,
                    counter);
        }
    }

    @Override
    public void close() {
        partials.close();
        counters.close();
    }

    /// Sizes computed from the head dim and the group. The kernel computes the same sizes.
    ///
    /// @param warps warps of a block
    /// @param stages tiles that a warp fetches ahead
    /// @param queries queries that a block keeps at a time
    /// @param slices passes over the keys, for larger groups
    record Plan(int warps, int stages, int queries, int slices, int sharedBytes) {
        static Plan of(DecodeCase decoded, int availableBytes) {
            int headDim = decoded.headDim();
            int groupSize = decoded.groupSize();
            // Above a head dim of 128, two tiles of queries would leave too few registers for the
            // output.
            int queries = groupSize > 8 && headDim <= 128 ? 16 : 8;
            int warps = headDim <= 128 ? 8 : 4;
            int stageBytes = warps * 2 * KEYS * ((headDim / 8) | 1) * 16;
            int meetingBytes = warps / 2 * queries * headDim / 32 * 33 * Float.BYTES;
            int stages = Math.min(MOST_STAGES, (availableBytes - meetingBytes) / stageBytes);
            if (stages < 1) {
                throw new CudaException(
                        "decode attention of head dim " + headDim + " needs " + (stageBytes + meetingBytes)
                                + " bytes of shared memory in a block; this device has " + availableBytes);
            }
            return new Plan(
                    warps, stages, queries, Math.ceilDiv(groupSize, queries), stages * stageBytes + meetingBytes);
        }

        KernelSource source(DecodeCase decoded) {
            return KernelSource.of("decode_attention.cu", "decodeAttention")
                    .with("ELEMENT", KernelTypes.name(decoded.keyType()))
                    .with("OUT", KernelTypes.name(decoded.out().dtype()))
                    .with("HEAD_DIM", decoded.headDim())
                    .with("GROUP", decoded.groupSize())
                    .with("SELECTED", decoded.isSelected() ? 1 : 0)
                    .with("WARPS", warps)
                    .with("STAGES", stages);
        }
    }
}
