package io.shadowkv.cuda.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.shadowkv.op.testing.RandomBlocks;
import io.shadowkv.op.testing.RandomGroups;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The layout of quantised weights in device memory: `element` of `tiled_weight.cuh`, written in Java, reads every
/// element to the bit.
class TileImagesTest {
    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void keepsBlocksOfEveryFormat() {
        for (BlockFormat format : BlockFormat.values()) {
            check(RandomBlocks.of(random, format, 3, format.elements(), 1));
            check(RandomBlocks.of(random, format, 130, 768, 1));
            check(RandomBlocks.of(random, format, 300, 256, 1).slice(117, 140));
        }
        check(RandomBlocks.of(random, BlockFormat.Q8_0, 17, 288, 1));
        check(RandomBlocks.of(random, BlockFormat.Q4_0, 17, 32, 1));
    }

    @Test
    void keepsCodesOfEveryLayout() {
        for (CodeLayout layout : CodeLayout.values()) {
            check(RandomGroups.of(random, layout, new Groups(24, 256, 1, 128), DType.F16));
            check(RandomGroups.of(random, layout, new Groups(136, 320, 1, 320), DType.BF16));
            check(RandomGroups.of(random, layout, new Groups(16, 1024, 1, 512), DType.F32));
            check(RandomGroups.of(random, layout, new Groups(16, 384, 1, 96), DType.F32));
            check(RandomGroups.of(random, layout, new Groups(160, 512, 1, 64), DType.F16)
                    .slice(8, 144));
            if (!layout.isTransposed()) {
                check(RandomGroups.of(random, layout, new Groups(140, 192, 16, 128), DType.F32));
                check(RandomGroups.of(random, layout, new Groups(5, 48, 5, 48), DType.F32));
            }
        }
    }

    /// What the images cannot hold is decoded by the caller.
    @Test
    void refusesOddGroups() {
        assertThat(TileFormat.of(RandomGroups.of(random, CodeLayout.I8, new Groups(9, 131, 4, 37), DType.F32)))
                .isNull();
        assertThat(TileFormat.of(RandomGroups.of(random, CodeLayout.GPTQ_4, new Groups(8, 48, 1, 48), DType.F32)))
                .isNull();
        GroupedWeight neighbours = RandomGroups.of(random, CodeLayout.GPTQ_4, new Groups(8, 256, 1, 32), DType.F32);
        assertThat(TileFormat.of(neighbours)).isNotNull();
        assertThat(TileFormat.of(RandomGroups.ordered(random, neighbours))).isNull();
    }

    private static void check(Weight weight) {
        TileFormat format = TileFormat.of(weight);
        assertThat(format).as(weight.format()).isNotNull();
        int images = TileFormat.imagesOfRow(weight.inputs());
        int tiles = TileFormat.tiles(weight.outputs());
        long tileBytes = (long) images * format.imageBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(tiles * tileBytes, 64);
            for (int tile = 0; tile < tiles; tile++) {
                new TileImages(weight, format).writeTile(tile, all.asSlice(tile * tileBytes, tileBytes));
            }
            float[] expected = new float[weight.inputs()];
            for (int row = 0; row < tiles * TileFormat.ROWS; row++) {
                boolean isInside = row < weight.outputs();
                if (isInside) {
                    weight.decodeRow(row, expected);
                }
                for (int column = 0; column < images * TileFormat.COLUMNS; column++) {
                    float wanted = isInside && column < weight.inputs() ? expected[column] : 0;
                    float found = element(all, format, images, row, column);
                    if (found != wanted) {
                        fail("%s [%d, %d]: %s, expected %s", format, row, column, found, wanted);
                    }
                }
            }
        }
    }

    private static float element(MemorySegment images, TileFormat format, int imagesOfRow, int row, int column) {
        long image = ((long) (row / 128) * imagesOfRow + column / 256) * format.imageBytes();
        int r = row % 128;
        int warp = r / 16;
        int half = r / 8 % 2;
        int c = column % 256;
        int group = c / 32;
        int in = c % 32;
        int q = format.isSplit() ? in % 16 / 4 : in / 8;
        int i = format.isSplit() ? in / 16 * 4 + in % 4 : in % 8;
        int lane = r % 8 * 4 + q;
        long scales = image + format.scalesAt() + (long) r * format.scaleBytes();
        long more = image + format.moreAt() + (long) r * format.moreBytes();
        int part = group * format.parts() / 8;
        switch (format.code()) {
            case INT8, FP8 -> {
                byte code = images.get(JAVA_BYTE, image + ((warp * 8 + group) * 32 + lane) * 16L + half * 8 + i);
                float number = format.code() == TileFormat.Code.INT8 ? (code & 0xFF) - 128 : Floats.fromE4m3(code);
                return number * scale(images, format, scales, part);
            }
            default -> {}
        }
        int word = images.get(
                JAVA_INT_UNALIGNED, image + ((warp * 4 + group / 2) * 32 + lane) * 16L + group % 2 * 8 + half * 4);
        int code = word >> (i % 2 * 16 + i / 2 * 4) & 15;
        long highAt = image + format.code().codeBytes();
        return switch (format.code()) {
            case INT4 -> (code - 8) * scale(images, format, scales, part);
            case INT4_ZERO -> (code - images.get(JAVA_BYTE, more + part)) * scale(images, format, scales, part);
            case Q6_K -> {
                int high = images.get(
                        JAVA_INT_UNALIGNED, highAt + ((warp * 2 + group / 4) * 32 + lane) * 16L + group % 4 * 4);
                int whole = code | (high >> (i % 2 * 16 + (half * 4 + i / 2) * 2) & 3) << 4;
                float own = BlockFormat.f16(images, more) * images.get(JAVA_BYTE, scales + group * 2 + in / 16);
                yield own * (whole - 32);
            }
            case Q5_K -> {
                int high = images.get(JAVA_INT_UNALIGNED, highAt + (warp * 32 + lane) * 16L + group / 2 * 4);
                int bit = high >> (i % 2 * 16 + group % 2 * 8 + half * 4 + i / 2) & 1;
                yield k(images, scales, group, code | bit << 4);
            }
            default -> k(images, scales, group, code);
        };
    }

    private static float scale(MemorySegment images, TileFormat format, long scales, int part) {
        return (float) Floats.get(format.scale(), images.asSlice(scales), part);
    }

    private static float k(MemorySegment images, long scales, int group, int code) {
        int first = images.get(JAVA_INT_UNALIGNED, scales + 4);
        int middle = images.get(JAVA_INT_UNALIGNED, scales + 8);
        int last = images.get(JAVA_INT_UNALIGNED, scales + 12);
        int s = group < 4 ? first & 0x3f3f3f3f : last & 0x0f0f0f0f | (first >> 6 & 0x03030303) << 4;
        int m = group < 4 ? middle & 0x3f3f3f3f : last >> 4 & 0x0f0f0f0f | (middle >> 6 & 0x03030303) << 4;
        int shift = group % 4 * 8;
        float scale = BlockFormat.f16(images, scales) * (s >> shift & 0xff);
        float offset = BlockFormat.f16(images, scales + 2) * (m >> shift & 0xff);
        return scale * code - offset;
    }
}
