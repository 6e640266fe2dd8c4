package io.shadowkv.op.testing;

import io.shadowkv.op.IndexedLayer;
import java.util.Arrays;

/// Misses of one sequence's layer, written by hand: what a selection would have left, with hits between them.
///
/// @param sequence whose they are
/// @param slots as the operations see them
public record TestMisses(IndexedSequence sequence, IndexedSequence.Slots slots) {
    /// As many misses as `first` in the first head, in the others one for each selected unit.
    public static TestMisses of(IndexedSequence sequence, int first) {
        var sizes = sequence.sizes;
        int k = sizes.selected();
        int c = sizes.slots();
        var cold = IndexedSequence.Slots.cold(sizes);
        int[] units = new int[sizes.heads() * k];
        int[] slots = new int[units.length];
        int[] counts = new int[sizes.heads()];
        // Beyond the counts stand units and slots that are not there, so that nobody uses them.
        Arrays.fill(units, Integer.MAX_VALUE);
        Arrays.fill(slots, Integer.MAX_VALUE);
        for (int h = 0; h < sizes.heads(); h++) {
            counts[h] = h == 0 ? Math.min(first, k) : k;
            for (int s = 0; s < c; s++) {
                cold.residents()[h * c + s] = (s * 7 + first) % sizes.units();
            }
            for (int m = 0; m < counts[h]; m++) {
                int slot = c - 1 - m * c / k;
                slots[h * k + m] = slot;
                units[h * k + m] = cold.residents()[h * c + slot];
            }
        }
        return new TestMisses(
                sequence,
                new IndexedSequence.Slots(cold.residents(), cold.ages(), cold.selected(), units, slots, counts));
    }

    public IndexedLayer on(Placement side) {
        return sequence.on(side, slots);
    }

    /// The attended values with those of the misses in their slots.
    ///
    /// @param stored [heads, tokens, headDim], of the attended type
    public float[] fetched(float[] stored) {
        var sizes = sequence.sizes;
        float[] expected = sequence.attendedValues.values().clone();
        forEach((h, unit, slot) -> {
            int from = (h * sizes.tokens() + sequence.firstToken(h, unit)) * sizes.headDim();
            int to = (h * sizes.attendedRows() + sequence.row(slot)) * sizes.headDim();
            System.arraycopy(stored, from, expected, to, sizes.unitTokens() * sizes.headDim());
        });
        return expected;
    }

    /// The attended keys with those of the misses in their slots, in float.
    public float[] rebuilt(RotaryTable rotary) {
        var sizes = sequence.sizes;
        float[] expected = sequence.attendedKeys.values().clone();
        int width = sizes.heads() * sizes.headDim();
        forEach((h, unit, slot) -> {
            for (int j = 0; j < sizes.unitTokens(); j++) {
                int token = sequence.firstToken(h, unit) + j;
                int to = (h * sizes.attendedRows() + sequence.row(slot) + j) * sizes.headDim();
                Arrays.fill(expected, to, to + sizes.headDim(), 0);
                for (int r = 0; r < sizes.rank(); r++) {
                    float weight = sequence.factor.values()[token * sizes.rank() + r];
                    int from = r * width + h * sizes.headDim();
                    for (int e = 0; e < sizes.headDim(); e++) {
                        expected[to + e] += weight * sequence.basis.values()[from + e];
                    }
                }
                PlainDense.rotateHead(expected, to, token, rotary, 1);
            }
        });
        return expected;
    }

    /// Every row but the misses' holds, bit for bit, what it held.
    public void checkOthersUntouched(String what, float[] keys) {
        var sizes = sequence.sizes;
        float[] before = sequence.attendedKeys.values();
        float[] others = keys.clone();
        forEach((h, unit, slot) -> {
            int at = (h * sizes.attendedRows() + sequence.row(slot)) * sizes.headDim();
            System.arraycopy(before, at, others, at, sizes.unitTokens() * sizes.headDim());
        });
        Exactly.same(what + ", keys of other rows", before, others);
    }

    private void forEach(MissAction action) {
        int k = sequence.sizes.selected();
        for (int h = 0; h < sequence.sizes.heads(); h++) {
            for (int m = 0; m < slots.missCounts()[h]; m++) {
                action.accept(h, slots.missUnits()[h * k + m], slots.missSlots()[h * k + m]);
            }
        }
    }

    private interface MissAction {
        void accept(int h, int unit, int slot);
    }
}
