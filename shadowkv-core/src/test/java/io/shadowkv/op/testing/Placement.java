package io.shadowkv.op.testing;

import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;

/// Puts test data where one side of a comparison computes: the backend under test, or the judge.
public interface Placement {
    /// Data that operations read.
    Tensor input(Sample sample);

    /// Data that operations change in place; on the judge's side in double, so that its result is exact.
    Tensor state(Sample sample);

    /// I32 data, read or changed.
    Tensor ints(int[] values, int... extents);

    /// I64 zeros.
    Tensor longs(int count);

    default Rotary rotary(RotaryTable table) {
        return new Rotary(
                input(table.cosines()), input(table.sines()), table.rotaryDim(), table.interleaved(), table.scaling());
    }
}
