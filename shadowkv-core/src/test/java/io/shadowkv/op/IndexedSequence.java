package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// A sequence's indexed layer as data, to be placed on both sides of a comparison. Every other chunk is
/// indexed, so that a unit's place in the index is not its chunk number; rows that no unit owns are NaN.
final class IndexedSequence {
    private static final int FIRST_ROW = 5;
    private static final int SPARE = 3;

    final Sizes sizes;
    final Sample landmarks;
    final Sample factor;
    final Sample basis;
    final Sample storedValues;
    final Sample attendedKeys;
    final Sample attendedValues;

    /// @param units indexed units
    /// @param slots resident units
    record Sizes(DType type, int unitTokens, int heads, int headDim, int rank, int units, int slots) {
        int tokens() {
            return 2 * units * unitTokens + 1;
        }

        int capacity() {
            return units + SPARE;
        }

        int attendedRows() {
            return FIRST_ROW + slots * unitTokens + 2;
        }
    }

    IndexedSequence(Workbench bench, Sizes sizes) {
        this.sizes = sizes;
        landmarks = bench.normal(sizes.type(), sizes.heads(), sizes.capacity(), sizes.headDim());
        int landmarkRow = sizes.headDim();
        for (int h = 0; h < sizes.heads(); h++) {
            int end = (h + 1) * sizes.capacity() * landmarkRow;
            Arrays.fill(landmarks.values(), end - SPARE * landmarkRow, end, Float.NaN);
        }
        factor = bench.normal(sizes.type(), sizes.tokens(), sizes.rank());
        basis = bench.normal(sizes.type(), sizes.rank(), sizes.heads() * sizes.headDim());
        storedValues = bench.normal(sizes.type(), sizes.heads(), sizes.tokens(), sizes.headDim());
        attendedKeys = bench.normal(sizes.type(), sizes.heads(), sizes.attendedRows(), sizes.headDim());
        attendedValues = bench.normal(sizes.type(), sizes.heads(), sizes.attendedRows(), sizes.headDim());
    }

    /// Chunk of indexed unit u: odd ones for even heads, even ones for odd heads.
    int chunk(int h, int u) {
        return 2 * u + (h + 1) % 2;
    }

    int firstToken(int h, int u) {
        return chunk(h, u) * sizes.unitTokens();
    }

    int row(int slot) {
        return FIRST_ROW + slot * sizes.unitTokens();
    }

    /// Nothing resident, nothing counted.
    IndexedLayer cold(Placement side) {
        int[] empty = new int[sizes.heads() * sizes.slots()];
        Arrays.fill(empty, -1);
        return on(side, empty, new int[empty.length], new int[empty.length], new int[sizes.heads()]);
    }

    /// With the misses that another side's selection found.
    IndexedLayer on(Placement side, int[] residents, int[] missUnits, int[] missSlots, int[] missCounts) {
        int heads = sizes.heads();
        int[] unitIds = new int[heads * sizes.capacity()];
        Arrays.fill(unitIds, Integer.MAX_VALUE);
        for (int h = 0; h < heads; h++) {
            for (int u = 0; u < sizes.units(); u++) {
                unitIds[h * sizes.capacity() + u] = chunk(h, u);
            }
        }
        // The one tensor that is to lie in the larger memory; the judge knows one memory only.
        Tensor values = side instanceof Workbench bench
                ? bench.input(Backend.Place.HOST, storedValues)
                : side.input(storedValues);
        return new IndexedLayer(
                sizes.unitTokens(),
                side.input(landmarks),
                side.ints(unitIds, heads, sizes.capacity()),
                side.input(factor),
                side.input(basis),
                values,
                new AttendedRows(side.state(attendedKeys), side.state(attendedValues)),
                FIRST_ROW,
                side.ints(residents, heads, sizes.slots()),
                side.ints(missUnits, heads, sizes.slots()),
                side.ints(missSlots, heads, sizes.slots()),
                side.ints(missCounts, heads),
                side.longs(2));
    }
}
