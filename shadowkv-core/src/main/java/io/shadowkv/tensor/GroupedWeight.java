package io.shadowkv.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Weights of codes with scales, and perhaps zero points, in tensors of their own, as quantised
/// safetensors checkpoints have them. An element is `(number of its code - zero) · scale`, in float.
///
/// @param layout where codes are
/// @param codes of the whole matrix
/// @param scales floating, one per group; of the whole matrix
/// @param zeros zero points of GPTQ and AWQ, or null
/// @param order the group of each column, I32 `[in]`, for matrices that GPTQ quantised in the order of
///     their activations; null if the columns of a group are neighbours
/// @param shape of the whole matrix and its groups
/// @param firstOutput row of the whole matrix at which this view starts
/// @param outputs rows of this view
public record GroupedWeight(
        CodeLayout layout,
        Tensor codes,
        Tensor scales,
        @Nullable Tensor zeros,
        @Nullable Tensor order,
        Groups shape,
        int firstOutput,
        int outputs)
        implements Weight {
    /// Extents of a matrix and of the groups that share a scale.
    ///
    /// @param outputs rows
    /// @param inputs columns
    /// @param groupOutputs rows of a group; the last group may have fewer
    /// @param groupInputs columns of a group; the last group may have fewer
    public record Groups(int outputs, int inputs, int groupOutputs, int groupInputs) {
        public Groups {
            if (outputs < 1 || inputs < 1 || groupOutputs < 1 || groupInputs < 1) {
                throw new IllegalArgumentException("weights [" + outputs + ", " + inputs + "] in groups of ["
                        + groupOutputs + ", " + groupInputs + "]; expected 1 or more of each");
            }
        }

        /// Groups along the rows.
        public int outputGroups() {
            return Math.ceilDiv(outputs, groupOutputs);
        }

        /// Groups along the columns.
        public int inputGroups() {
            return Math.ceilDiv(inputs, groupInputs);
        }
    }

    /// The whole matrix. The caller has checked the shapes of the tensors.
    public static GroupedWeight of(
            CodeLayout layout, Tensor codes, Tensor scales, @Nullable Tensor zeros, Groups shape) {
        return new GroupedWeight(layout, codes, scales, zeros, null, shape, 0, shape.outputs());
    }

    /// This matrix with groups whose columns are not neighbours.
    ///
    /// @param groups the group of each column, I32 `[in]`; the caller has checked that there are such
    ///     groups
    public GroupedWeight ordered(Tensor groups) {
        return new GroupedWeight(layout, codes, scales, zeros, groups, shape, firstOutput, outputs);
    }

    @Override
    public int inputs() {
        return shape.inputs();
    }

    @Override
    public long byteSize() {
        Tensor points = zeros;
        Tensor groups = order;
        long all = codes.byteSize()
                + scales.byteSize()
                + (points == null ? 0 : points.byteSize())
                + (groups == null ? 0 : groups.byteSize());
        return all * outputs / shape.outputs();
    }

    @Override
    public String format() {
        return layout.name();
    }

    @Override
    public GroupedWeight slice(int from, int count) {
        Objects.checkFromIndexSize(from, count, outputs);
        return new GroupedWeight(layout, codes, scales, zeros, order, shape, firstOutput + from, count);
    }

    /// The group of a column.
    public int group(int column) {
        Tensor groups = order;
        return groups == null
                ? column / shape.groupInputs()
                : groups.segment().get(ValueLayout.JAVA_INT_UNALIGNED, (long) column * Integer.BYTES);
    }

    /// The scale of the elements of a row in a group of columns.
    public float scale(int row, int group) {
        int output = firstOutput + row;
        long index = layout.isTransposed()
                ? (long) group * shape.outputs() + output
                : (long) (output / shape.groupOutputs()) * shape.inputGroups() + group;
        return (float) Floats.get(scales.dtype(), scales.segment(), index);
    }

    /// The zero point of the elements of a row in a group of columns.
    public float zero(int row, int group) {
        Tensor points = zeros;
        return points == null ? 0 : layout.zero(points.segment(), shape.outputs(), firstOutput + row, group);
    }

    @Override
    public void decode(int row, int from, int count, float[] target, int at) {
        Objects.checkIndex(row, outputs);
        Objects.checkFromIndexSize(from, count, inputs());
        MemorySegment bytes = codes.segment();
        for (int column = from; column < from + count; ) {
            int group = group(column);
            int end = order == null ? Math.min(from + count, (group + 1) * shape.groupInputs()) : column + 1;
            float scale = scale(row, group);
            float zero = zero(row, group);
            for (; column < end; column++) {
                float number = layout.number(bytes, shape.outputs(), shape.inputs(), firstOutput + row, column);
                target[at + column - from] = (number - zero) * scale;
            }
        }
    }
}
