package io.shadowkv.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.tensor.GroupedWeight.Groups;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// Every layout of codes, by hand: the numbers of the first rows of small matrices.
class GroupedWeightTest {
    private static Tensor ints(int[] values, int... extents) {
        MemorySegment segment = MemorySegment.ofArray(new byte[values.length * 4]);
        segment.copyFrom(MemorySegment.ofArray(values));
        return Tensor.of(DType.I32, Shape.of(extents), segment);
    }

    private static Tensor floats(float[] values, int... extents) {
        return Tensor.of(
                DType.F32,
                Shape.of(extents),
                MemorySegment.ofArray(new byte[values.length * 4]).copyFrom(MemorySegment.ofArray(values)));
    }

    private static float[] row(GroupedWeight weight, int index) {
        float[] row = new float[weight.inputs()];
        weight.decodeRow(index, row);
        return row;
    }

    @Test
    void bytesHaveScalesOfBlocks() {
        byte[] codes = {0x38, 0x40, (byte) 0xB8, 1, 0x38, 0x38, 0x38, 0x7E, 0, 0, 0, 0x30};
        Tensor stored = Tensor.of(DType.F8E4M3, Shape.of(3, 4), MemorySegment.ofArray(codes));
        Tensor scales = floats(new float[] {2, 10, 3, 100}, 2, 2);
        GroupedWeight weight = GroupedWeight.of(CodeLayout.F8E4M3, stored, scales, null, new Groups(3, 4, 2, 3));

        assertThat(row(weight, 0)).containsExactly(2, 4, -2, 10 * 0x1p-9f);
        assertThat(row(weight, 1)).containsExactly(2, 2, 2, 4480);
        assertThat(row(weight.slice(1, 2), 1)).containsExactly(0, 0, 0, 50);
        assertThat(weight.byteSize()).isEqualTo(12 + 16);
        assertThat(weight.slice(0, 1).byteSize()).isEqualTo(28 / 3);
        assertThatThrownBy(() -> weight.slice(2, 2)).isInstanceOf(IndexOutOfBoundsException.class);

        Tensor bytes = Tensor.of(DType.I8, Shape.of(1, 2), MemorySegment.ofArray(new byte[] {-128, 127}));
        assertThat(row(
                        GroupedWeight.of(
                                CodeLayout.I8, bytes, floats(new float[] {0.5f}, 1, 1), null, new Groups(1, 2, 1, 2)),
                        0))
                .containsExactly(-64, 63.5f);
    }

    /// The first column is in the lowest bits; the last word is not full.
    @Test
    void packedWordsHaveAnOffset() {
        Tensor scales = floats(new float[] {1, 2}, 2, 1);
        GroupedWeight four = GroupedWeight.of(
                CodeLayout.PACKED_4,
                ints(new int[] {0xFEDCBA98, 0x7, 0x01234567, 0xF}, 2, 2),
                scales,
                null,
                new Groups(2, 9, 1, 9));
        assertThat(row(four, 0)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, -1);
        assertThat(row(four, 1)).containsExactly(-2, -4, -6, -8, -10, -12, -14, -16, 14);

        GroupedWeight eight = GroupedWeight.of(
                CodeLayout.PACKED_8,
                ints(new int[] {0xFF008081}, 1, 1),
                floats(new float[] {1}, 1, 1),
                null,
                new Groups(1, 4, 1, 4));
        assertThat(row(eight, 0)).containsExactly(1, 0, -128, 127);
    }

    /// Inputs are packed; a zero point is stored less 1.
    @Test
    void gptqIsTransposed() {
        int[] codes = new int[8];
        codes[2] = 0x76543210;
        GroupedWeight weight = GroupedWeight.of(
                CodeLayout.GPTQ_4,
                ints(codes, 1, 8),
                floats(new float[] {1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 10, 1, 1, 1, 1, 1}, 2, 8),
                ints(new int[] {0x77777377, 0x77777F77}, 2, 1),
                new Groups(8, 8, 1, 4));
        assertThat(row(weight, 2)).containsExactly(-8, -6, -4, -2, -120, -110, -100, -90);
        assertThat(row(weight, 3)).containsOnly(-8);
    }

    /// Outputs are packed, in the order 0, 2, 4, 6, 1, 3, 5, 7; a zero point is stored as it is.
    @Test
    void awqIsTransposed() {
        int[] codes = {0x76543210, 0, 0, 0, 0, 0, 0, 0x70000000};
        GroupedWeight weight = GroupedWeight.of(
                CodeLayout.AWQ_4,
                ints(codes, 8, 1),
                floats(new float[] {1, 1, 1, 1, 1, 1, 1, 0.5f}, 1, 8),
                ints(new int[] {0x10000000}, 1, 1),
                new Groups(8, 8, 1, 8));
        float[] first = new float[8];
        for (int output = 0; output < 8; output++) {
            first[output] = row(weight, output)[0];
        }
        assertThat(first).containsExactly(0, 4, 1, 5, 2, 6, 3, 3);
        assertThat(row(weight, 7)).containsExactly(3, -0.5f, -0.5f, -0.5f, -0.5f, -0.5f, -0.5f, 3);
    }
}
