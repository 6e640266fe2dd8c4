package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// How a quantised weight lies in device memory: the constants of `tiled_weight.cuh`.
///
/// @param code form of the codes
/// @param scale type of the scales; F16 for formats whose scales are parts of blocks
/// @param parts scales of a row in an image: 1, 2, 4 or 8
record TileFormat(Code code, DType scale, int parts) {
    static final int ROWS = 128;
    static final int COLUMNS = 256;
    /// Columns of the smallest part of a row that has a scale of its own in [Code#INT8] to
    /// [Code#INT4_ZERO].
    static final int GROUP = 32;
    /// A row of activations must be a multiple of 16 bytes.
    private static final int ALIGNED_INPUTS = 8;

    private static final int ALL_PARTS = COLUMNS / GROUP;

    /// Forms of codes, in the order of the constants in `tiled_weight.cuh`.
    enum Code {
        /// Bytes with a sign, 128 added.
        INT8(32_768, 0, 0),
        /// E4M3 numbers.
        FP8(32_768, 0, 0),
        /// 4 bits, of which 8 is subtracted.
        INT4(16_384, 0, 0),
        /// 4 bits, of which a zero point is subtracted.
        INT4_ZERO(16_384, 0, 0),
        Q4_K(16_384, 0, 16),
        Q5_K(16_384, 4_096, 16),
        Q6_K(16_384, 8_192, 16);

        private final int codeBytes;
        private final int highBytes;
        private final int scaleBytes;

        Code(int codeBytes, int highBytes, int scaleBytes) {
            this.codeBytes = codeBytes;
            this.highBytes = highBytes;
            this.scaleBytes = scaleBytes;
        }

        /// Bytes of an image's codes: the lowest 4 bits of each, or 8.
        int codeBytes() {
            return codeBytes;
        }
    }

    /// The format of a weight, or null if there is none: for groups of columns that are not a multiple
    /// of 32 or not neighbours, and for rows that are not a multiple of 8 (with zero points: of 32)
    /// columns.
    static @Nullable TileFormat of(Weight weight) {
        return switch (weight) {
            case BlockWeight blocks -> of(blocks);
            case GroupedWeight groups -> of(groups);
            default -> null;
        };
    }

    private static TileFormat of(BlockWeight weight) {
        return switch (weight.blocks()) {
            case Q8_0 -> new TileFormat(Code.INT8, DType.F16, ALL_PARTS);
            case Q4_0 -> new TileFormat(Code.INT4, DType.F16, ALL_PARTS);
            case Q4_K -> new TileFormat(Code.Q4_K, DType.F16, ALL_PARTS);
            case Q5_K -> new TileFormat(Code.Q5_K, DType.F16, ALL_PARTS);
            case Q6_K -> new TileFormat(Code.Q6_K, DType.F16, ALL_PARTS);
        };
    }

    private static @Nullable TileFormat of(GroupedWeight weight) {
        Tensor zeros = weight.zeros();
        int inputs = weight.inputs();
        int group = weight.shape().groupInputs();
        boolean isOneGroup = group >= inputs;
        boolean hasZeros = zeros != null || weight.layout().isTransposed();
        boolean isAligned = inputs % (hasZeros ? GROUP : ALIGNED_INPUTS) == 0;
        if (!isAligned || weight.order() != null || (!isOneGroup && group % GROUP != 0)) {
            return null;
        }
        int parts = isOneGroup || group % COLUMNS == 0 ? 1 : COLUMNS % group == 0 ? COLUMNS / group : ALL_PARTS;
        // Columns after the last one need scales of 0, because their number may not be 0.
        boolean hasTail = hasZeros && inputs % COLUMNS != 0;
        return new TileFormat(code(weight.layout()), weight.scales().dtype(), hasTail ? ALL_PARTS : parts);
    }

    private static Code code(CodeLayout layout) {
        return switch (layout) {
            case F8E4M3 -> Code.FP8;
            case I8, PACKED_8 -> Code.INT8;
            case PACKED_4 -> Code.INT4;
            case GPTQ_4, AWQ_4 -> Code.INT4_ZERO;
        };
    }

    /// Where the scales of an image start.
    int scalesAt() {
        return code.codeBytes + code.highBytes;
    }

    /// Bytes of scales of a row of an image.
    int scaleBytes() {
        return code.scaleBytes > 0 ? code.scaleBytes : parts * scale.bytes();
    }

    /// Where zero points, or the block scales of Q6_K, start.
    int moreAt() {
        return scalesAt() + ROWS * scaleBytes();
    }

    /// Bytes of these in a row of an image.
    int moreBytes() {
        return switch (code) {
            case INT4_ZERO -> parts;
            case Q6_K -> 2;
            default -> 0;
        };
    }

    int imageBytes() {
        return moreAt() + ROWS * moreBytes();
    }

    /// True if a lane has two runs of 4 columns in each group.
    boolean isSplit() {
        return code == Code.Q6_K;
    }

    /// Images of `outputs` rows of `inputs` columns, for each tile of rows.
    static int imagesOfRow(int inputs) {
        return Math.ceilDiv(inputs, COLUMNS);
    }

    static int tiles(int outputs) {
        return Math.ceilDiv(outputs, ROWS);
    }

    /// A kernel for this format.
    KernelSource kernel(String file, String function) {
        return KernelSource.of(file, function)
                .with("FORMAT", code.name())
                .with("SCALE", KernelTypes.name(scale))
                .with("PARTS", parts);
    }
}
