package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// Tensor maps: descriptions of arrays for Hopper's bulk copies of tiles (`copyTile` in
/// `hopper.cuh`). Stateless.
public final class TileMap {
    /// Bytes of a tensor map.
    public static final int BYTES = 128;

    public static final int ALIGNMENT = 64;
    /// Columns of a tile: 128 bytes, the width of the swizzle.
    public static final int COLUMNS = 64;

    private static final int SWIZZLE_128_BYTES = 3;
    private static final int BFLOAT16 = 9;
    private static final int FLOAT16 = 6;

    private TileMap() {}

    /// Describes a 3-D array of BF16 or F16. Elements of a tile outside the array are zero.
    ///
    /// @param map receives the description; [#BYTES] bytes, aligned to [#ALIGNMENT]
    /// @param tensor starts where the array starts
    /// @param extents elements, innermost first
    /// @param strides bytes between neighbours along the second and along the third extent
    /// @param tile extents of a tile in elements, innermost first
    public static void write(
            CudaContext context, MemorySegment map, Tensor tensor, long[] extents, long[] strides, int[] tile) {
        int type = tensor.dtype() == DType.BF16 ? BFLOAT16 : FLOAT16;
        context.makeCurrent();
        context.driver()
                .cuTensorMapEncodeTiled(map, type, context.address(tensor), extents, strides, tile, SWIZZLE_128_BYTES);
    }

    /// Describes a matrix in tiles of `rows` rows.
    ///
    /// @param matrix `[any, columns]`
    public static void writeMatrix(CudaContext context, MemorySegment map, Tensor matrix, int columns, int rows) {
        long count = matrix.elements() / columns;
        long rowBytes = (long) columns * matrix.dtype().bytes();
        write(context, map, matrix, new long[] {columns, count, 1}, new long[] {rowBytes, count * rowBytes}, new int[] {
            COLUMNS, rows, 1
        });
    }
}
