package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.Codes;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Decodes weights of quantised safetensors checkpoints to floats: the same numbers, to the bit, as
/// [GroupedWeight#decode]. The layouts are described in [CodeLayout].
///
/// Bytes are decoded with vectors, words of eight codes of 4 bits as words.
final class GroupedRows implements WeightRows {
    private static final int LANES = VectorWidth.LANES;
    private static final int E4M3_NAN = 0x7F;
    private static final int LOW = 0xF;

    private final GroupedWeight weight;
    private final CodeLayout layout;
    private final MemorySegment codes;
    private final int outputs;
    private final int inputs;
    private final int groupInputs;
    /// The group of each column; empty if the columns of a group are neighbours.
    private final int[] order;

    GroupedRows(GroupedWeight weight) {
        this.weight = weight;
        layout = weight.layout();
        codes = weight.codes().segment();
        outputs = weight.shape().outputs();
        inputs = weight.shape().inputs();
        groupInputs = weight.shape().groupInputs();
        Tensor groups = weight.order();
        order = groups == null ? new int[0] : groups.segment().toArray(JAVA_INT_UNALIGNED);
    }

    @Override
    public void load(int row, int column, float[] target, int at, int count) {
        boolean isWords = layout == CodeLayout.GPTQ_4 || layout == CodeLayout.PACKED_4;
        if (isWords && (column % 8 != 0 || count % 8 != 0 || groupInputs % 8 != 0 || inputs % 8 != 0)) {
            weight.decode(row, column, count, target, at);
            return;
        }
        if (order.length > 0) {
            ordered(row, column, target, at, count);
            return;
        }
        for (int from = column; from < column + count; ) {
            int group = from / groupInputs;
            int to = Math.min(column + count, (group + 1) * groupInputs);
            stretch(row, group, from, to, target, at + from - column);
            from = to;
        }
    }

    /// Columns of any groups: the scales and zero points of the row are read once.
    private void ordered(int row, int column, float[] target, int at, int count) {
        int groups = weight.shape().inputGroups();
        if (layout != CodeLayout.GPTQ_4 || groups > count) {
            weight.decode(row, column, count, target, at);
            return;
        }
        float[] scales = new float[groups];
        float[] zeros = new float[groups];
        for (int group = 0; group < groups; group++) {
            scales[group] = weight.scale(row, group);
            zeros[group] = weight.zero(row, group);
        }
        long first = (long) (column / 8) * outputs + weight.firstOutput() + row;
        for (int i = 0; i < count; i += 8) {
            int word = codes.get(JAVA_INT_UNALIGNED, (first + (long) (i / 8) * outputs) * Integer.BYTES);
            for (int j = 0; j < 8; j++) {
                int group = order[column + i + j];
                target[at + i + j] = ((word >>> 4 * j & LOW) - zeros[group]) * scales[group];
            }
        }
    }

    /// Columns of one group.
    private void stretch(int row, int group, int from, int to, float[] target, int at) {
        int output = weight.firstOutput() + row;
        float scale = weight.scale(row, group);
        switch (layout) {
            case F8E4M3, I8 -> bytes((long) output * inputs + from, to - from, scale, target, at);
            case PACKED_4 -> words((long) output * (inputs / 8) + from / 8, 1, (to - from) / 8, 8, scale, target, at);
            case GPTQ_4 ->
                words(
                        (long) (from / 8) * outputs + output,
                        outputs,
                        (to - from) / 8,
                        weight.zero(row, group),
                        scale,
                        target,
                        at);
            case PACKED_8, AWQ_4 -> weight.decode(row, from, to - from, target, at);
        }
    }

    private void bytes(long byteAt, int count, float scale, float[] target, int at) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            FloatVector numbers = layout == CodeLayout.I8
                    ? Codes.floats(Codes.signed(codes, byteAt + i))
                    : e4m3(Codes.unsigned(codes, byteAt + i));
            numbers.mul(scale).intoArray(target, at + i);
        }
        if (i < count) {
            int row = (int) (byteAt / inputs) - weight.firstOutput();
            weight.decode(row, (int) (byteAt % inputs) + i, count - i, target, at + i);
        }
    }

    /// Exponent and mantissa are moved into place, and the difference of the biases is multiplied,
    /// which is exact for subnormals too.
    private static FloatVector e4m3(IntVector bits) {
        IntVector size = bits.and(E4M3_NAN);
        IntVector sign = bits.and(0x80).lanewise(VectorOperators.LSHL, 24);
        FloatVector numbers = size.lanewise(VectorOperators.LSHL, 20)
                .or(sign)
                .reinterpretAsFloats()
                .mul(0x1p120f);
        return numbers.blend(
                Float.NaN, size.compare(VectorOperators.EQ, E4M3_NAN).cast(VectorWidth.FLOATS));
    }

    /// @param first index of the first word
    /// @param stride words from one to the next
    private void words(long first, int stride, int count, float zero, float scale, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            int word = codes.get(JAVA_INT_UNALIGNED, (first + (long) i * stride) * Integer.BYTES);
            for (int j = 0; j < 8; j++) {
                target[at + i * 8 + j] = ((word >>> 4 * j & LOW) - zero) * scale;
            }
        }
    }
}
