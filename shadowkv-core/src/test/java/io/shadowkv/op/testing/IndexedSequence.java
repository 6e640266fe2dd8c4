package io.shadowkv.op.testing;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A sequence's indexed layer as data, to be placed on both sides of a comparison. Every other chunk is
/// indexed, so that a unit's place in the index is not its chunk number; rows that no unit owns are NaN.
public final class IndexedSequence {
    private static final int FIRST_ROW = 5;
    private static final int TAIL_ROWS = 2;
    private static final int SPARE = 3;

    public final Sizes sizes;
    public final Sample landmarks;
    final Sample factor;
    final Sample basis;
    public final Sample storedValues;
    public final Sample attendedKeys;
    public final Sample attendedValues;

    /// @param units indexed units
    /// @param selected k, units selected by a step
    /// @param slots C, resident units
    /// @param firstRow attended rows before the units' region
    /// @param tailRows attended rows behind it
    public record Sizes(
            DType type,
            int unitTokens,
            int heads,
            int headDim,
            int rank,
            int units,
            int selected,
            int slots,
            int firstRow,
            int tailRows) {
        public Sizes(DType type, int unitTokens, int heads, int headDim, int rank, int units, int selected, int slots) {
            this(type, unitTokens, heads, headDim, rank, units, selected, slots, FIRST_ROW, TAIL_ROWS);
        }

        /// As many slots as selected units.
        public Sizes(DType type, int unitTokens, int heads, int headDim, int rank, int units, int slots) {
            this(type, unitTokens, heads, headDim, rank, units, slots, slots);
        }

        public int tokens() {
            return 2 * units * unitTokens + 1;
        }

        public int capacity() {
            return units + SPARE;
        }

        public int attendedRows() {
            return firstRow + slots * unitTokens + tailRows;
        }
    }

    public IndexedSequence(Workbench bench, Sizes sizes) {
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
        return sizes.firstRow() + slot * sizes.unitTokens();
    }

    /// First row behind the units' region.
    public int endRow() {
        return row(sizes.slots());
    }

    /// Nothing resident, nothing counted.
    public IndexedLayer cold(Placement side) {
        return on(side, Slots.cold(sizes), Store.plain(this));
    }

    /// With what another side's selection left.
    public IndexedLayer on(Placement side, Slots slots) {
        return on(side, slots, Store.plain(this));
    }

    /// The same, with values stored in another way.
    public IndexedLayer on(Placement side, Slots slots, Store store) {
        int heads = sizes.heads();
        int[] unitIds = new int[heads * sizes.capacity()];
        Arrays.fill(unitIds, Integer.MAX_VALUE);
        for (int h = 0; h < heads; h++) {
            for (int u = 0; u < sizes.units(); u++) {
                unitIds[h * sizes.capacity() + u] = chunk(h, u);
            }
        }
        return new IndexedLayer(
                new IndexedLayer.Landmarks(
                        sizes.unitTokens(), side.input(landmarks), side.ints(unitIds, heads, sizes.capacity())),
                new IndexedLayer.KeyFactor(side.input(factor), side.input(basis)),
                new IndexedLayer.StoredValues(store.values(side), store.scales(side)),
                new IndexedLayer.Residency(
                        new AttendedRows(side.state(attendedKeys), side.state(attendedValues)),
                        sizes.firstRow(),
                        side.ints(slots.residents(), heads, sizes.slots()),
                        side.ints(slots.ages(), heads, sizes.slots()),
                        side.ints(slots.selected(), heads, sizes.selected()),
                        side.ints(slots.missUnits(), heads, sizes.selected()),
                        side.ints(slots.missSlots(), heads, sizes.selected()),
                        side.ints(slots.missCounts(), heads),
                        side.longs(2)));
    }

    /// What a selection reads and writes, as arrays.
    ///
    /// @param residents [heads, C]
    /// @param ages [heads, C]
    /// @param selected [heads, k]
    /// @param missUnits [heads, k]
    /// @param missSlots [heads, k]
    /// @param missCounts [heads]
    public record Slots(
            int[] residents, int[] ages, int[] selected, int[] missUnits, int[] missSlots, int[] missCounts) {
        public static Slots cold(Sizes sizes) {
            int[] residents = new int[sizes.heads() * sizes.slots()];
            int[] selected = new int[sizes.heads() * sizes.selected()];
            Arrays.fill(residents, -1);
            Arrays.fill(selected, -1);
            int length = selected.length;
            return new Slots(
                    residents,
                    new int[residents.length],
                    selected,
                    new int[length],
                    new int[length],
                    new int[sizes.heads()]);
        }
    }

    /// Where values are stored, and how.
    public interface Store {
        Tensor values(Placement side);

        @Nullable
        Tensor scales(Placement side);

        /// As they are. The one tensor that is to lie in the larger memory; the judge knows one memory only.
        static Store plain(IndexedSequence sequence) {
            return new Store() {
                @Override
                public Tensor values(Placement side) {
                    return side instanceof Workbench bench
                            ? bench.input(Backend.Place.HOST, sequence.storedValues)
                            : side.input(sequence.storedValues);
                }

                @Override
                public @Nullable Tensor scales(Placement side) {
                    return null;
                }
            };
        }
    }
}
