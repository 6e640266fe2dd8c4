package io.shadowkv.cpu.linear;

import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.PlacedWeight;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.Arrays;

/// Rows of a weight of any format, which products read as floats a stretch at a time. Thread-safe.
interface WeightRows {
    /// Decodes columns `column` to `column + count` (exclusive) of a row to `target[at]` and
    /// following.
    void load(int row, int column, float[] target, int at, int count);

    /// Like [#load], and fills up to `padded` elements with zeros.
    default void loadPadded(int row, int column, float[] target, int at, int count, int padded) {
        load(row, column, target, at, count);
        Arrays.fill(target, at + count, at + padded, 0);
    }

    static WeightRows of(Weight weight) {
        return switch (weight) {
            case Tensor tensor -> new Plain(new FloatRows(tensor), tensor.inputs());
            case BlockWeight blocks -> new BlockRows(blocks);
            case GroupedWeight groups -> new GroupedRows(groups);
            case PlacedWeight placed ->
                throw new IllegalArgumentException("weights [" + placed.outputs() + ", " + placed.inputs() + "] "
                        + placed.format() + " are in the memory of another backend");
        };
    }

    /// Rows of F32, BF16 or F16.
    record Plain(FloatRows elements, int inputs) implements WeightRows {
        @Override
        public void load(int row, int column, float[] target, int at, int count) {
            elements.load((long) row * inputs + column, target, at, count);
        }
    }
}
