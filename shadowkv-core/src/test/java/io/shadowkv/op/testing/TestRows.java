package io.shadowkv.op.testing;

import io.shadowkv.op.StepRows;
import java.util.Arrays;

/// Rows of a decode wave before they are placed: the host's view of [StepRows].
///
/// @param slots slot of each row's sequence, in no order; -1 for padding
/// @param positions position of the new token
/// @param writeRows row of the attended region that takes it
/// @param attended valid rows
/// @param units units in the index
public record TestRows(int[] slots, int[] positions, int[] writeRows, int[] attended, int[] units) {
    /// For attention: each row's new token is the last one attended to.
    public static TestRows attending(int[] slots, int[] attended) {
        int[] last =
                Arrays.stream(attended).map(count -> Math.max(0, count - 1)).toArray();
        return new TestRows(slots, last, last, attended, new int[slots.length]);
    }

    /// For the operations of a ShadowKV step, which look at slots and units only.
    public static TestRows indexed(int[] slots, int[] units) {
        int[] unused = new int[slots.length];
        return new TestRows(slots, unused, unused, unused, units);
    }

    /// Sets what padding rows hold, which is open, to 0.
    public void hidePadding(float[] outputs) {
        int row = outputs.length / count();
        for (int i = 0; i < count(); i++) {
            if (slots[i] < 0) {
                Arrays.fill(outputs, i * row, (i + 1) * row, 0);
            }
        }
    }

    public void hidePadding(double[] outputs) {
        int row = outputs.length / count();
        for (int i = 0; i < count(); i++) {
            if (slots[i] < 0) {
                Arrays.fill(outputs, i * row, (i + 1) * row, 0);
            }
        }
    }

    int count() {
        return slots.length;
    }

    public StepRows on(Placement side) {
        return new StepRows(
                count(),
                side.ints(slots, count()),
                side.ints(positions, count()),
                side.ints(writeRows, count()),
                side.ints(attended, count()),
                side.ints(units, count()));
    }
}
