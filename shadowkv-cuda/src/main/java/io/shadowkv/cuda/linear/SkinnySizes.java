package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.TileMap;
import io.shadowkv.tensor.DType;

/// Constants of `linear_streamed.cu` (if `stages` is positive) or `linear_skinny.cu` for a number
/// of rows.
///
/// @param rowTiles rows of x / 8, rounded up to a number that the kernel supports
/// @param tile rows of a weight that a block computes at a time
/// @param slab columns of a step
/// @param stages stages of the ring in shared memory; 0 if the kernel fixes their number
/// @param threads threads of a block
/// @param sharedBytes dynamic shared memory of a block
record SkinnySizes(int rowTiles, int tile, int slab, int stages, int threads, int sharedBytes) {
    /// Rows of each of two weights in a tile if one gates the other: the rows of a warpgroup.
    static final int GATED_TILE = 64;

    private static final int STREAMED_TILE = 128;
    private static final int STREAMED_THREADS = 288;
    private static final int PANELS = 2;
    /// Bytes of shared memory left free: for barriers, and for blocks of small kernels on the same
    /// multiprocessor.
    private static final int LEFT_FREE = 4096;

    private static final int TILE_ALIGNMENT = 1024;

    private static final int SKINNY_THREADS = 256;
    private static final int SKINNY_STAGES = 4;
    private static final int TWO_WARP_TILES_FROM = 5;

    /// @param isGated true for the variant in which one product gates the other
    static SkinnySizes streamed(int rows, boolean isGated, int sharedBytesPerBlock) {
        int needed = Math.max(1, Math.ceilDiv(rows, 8));
        int rowTiles = needed == 1 ? 1 : 2 * Integer.highestOneBit(needed - 1);
        int slab = TileMap.COLUMNS * PANELS;
        int stageBytes = (STREAMED_TILE + 8 * rowTiles) * slab * 2;
        int exchange = isGated ? GATED_TILE * 8 * rowTiles * Float.BYTES : 0;
        int stages = (sharedBytesPerBlock - LEFT_FREE - TILE_ALIGNMENT - exchange) / stageBytes;
        return new SkinnySizes(
                rowTiles, STREAMED_TILE, slab, stages, STREAMED_THREADS, stages * stageBytes + TILE_ALIGNMENT);
    }

    static SkinnySizes skinny(int rows) {
        int rowTiles = Math.max(1, Math.ceilDiv(rows, 8));
        int warpTiles = rowTiles >= TWO_WARP_TILES_FROM ? 2 : 1;
        int tile = SKINNY_THREADS / 32 * 16 * warpTiles;
        int slab = 128 / warpTiles;
        int sharedBytes = SKINNY_STAGES * (tile + 8 * rowTiles) * slab * 2;
        return new SkinnySizes(rowTiles, tile, slab, 0, SKINNY_THREADS, sharedBytes);
    }

    boolean fits(int sharedBytesPerBlock) {
        return sharedBytes <= sharedBytesPerBlock;
    }

    KernelSource kernel(DType type, DType outType, boolean isGated) {
        KernelSource source = stages == 0
                ? KernelSource.of("linear_skinny.cu", "linearSkinny")
                : KernelSource.of("linear_streamed.cu", "linearStreamed")
                        .with("STAGES", stages)
                        .with("PANELS", PANELS)
                        .with("GATED", isGated ? 1 : 0);
        return source.with("ACT", KernelTypes.name(type))
                .with("OUT", KernelTypes.name(outType))
                .with("ROW_TILES", rowTiles);
    }
}
