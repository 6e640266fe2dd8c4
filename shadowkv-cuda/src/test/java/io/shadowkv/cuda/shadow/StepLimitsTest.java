package io.shadowkv.cuda.shadow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.cuda.shadow.UnitSelection.Shared;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tests the host's checks before it launches or replays the kernels of a step.
class StepLimitsTest {
    private static final int HEADS = 2;
    private static final int HEAD_DIM = 8;

    private final Arena arena = Arena.ofAuto();
    private final SlotTable<IndexedLayer> table = new SlotTable<>();

    private Tensor tensor(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        return Tensor.of(dtype, shape, arena.allocate(shape.elements() * dtype.bytes(), 8));
    }

    private IndexedLayer layer(int selectedUnits, int slots, DType stored) {
        return new IndexedLayer(
                new IndexedLayer.Landmarks(8, tensor(DType.BF16, HEADS, 20, HEAD_DIM), tensor(DType.I32, HEADS, 20)),
                new IndexedLayer.KeyFactor(tensor(DType.BF16, 160, 4), tensor(DType.BF16, 4, HEADS * HEAD_DIM)),
                new IndexedLayer.StoredValues(
                        tensor(stored, HEADS, 160, HEAD_DIM),
                        stored == DType.BF16 ? null : tensor(DType.BF16, HEADS, 160)),
                new IndexedLayer.Residency(
                        new AttendedRows(
                                tensor(DType.BF16, HEADS, 77, HEAD_DIM), tensor(DType.BF16, HEADS, 77, HEAD_DIM)),
                        3,
                        tensor(DType.I32, HEADS, slots),
                        tensor(DType.I32, HEADS, slots),
                        tensor(DType.I32, HEADS, selectedUnits),
                        tensor(DType.I32, HEADS, selectedUnits),
                        tensor(DType.I32, HEADS, selectedUnits),
                        tensor(DType.I32, HEADS),
                        tensor(DType.I64, 2)));
    }

    private StepLimits limits() {
        return Objects.requireNonNull(StepLimits.of(table));
    }

    @Test
    void areTheLargestOfAllLayers() {
        assertThat(StepLimits.of(table)).isNull();
        table.set(1, layer(5, 7, DType.BF16));
        table.set(4, layer(3, 9, DType.BF16));

        assertThat(limits().selectedUnits()).isEqualTo(5);
        assertThat(limits().slots()).isEqualTo(9);
        assertThat(limits().shape().stored()).isEqualTo(DType.BF16);
    }

    @Test
    void needLayersOfOneFormat() {
        table.set(0, layer(5, 7, DType.BF16));
        table.set(2, layer(5, 7, DType.I8));

        assertThatThrownBy(() -> StepLimits.of(table))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("slot 2 holds a layer of")
                .hasMessageContaining("stored=I8");
    }

    @ParameterizedTest
    @CsvSource({"5, 7, BF16, true", "1, 1, BF16, true", "6, 7, BF16, false", "5, 8, BF16, false", "5, 7, I8, false"})
    void holdForLayersThatAreNotLarger(int selectedUnits, int slots, DType stored, boolean holds) {
        table.set(0, layer(5, 7, DType.BF16));
        BooleanSupplier condition = StepLimits.condition(table, limits());
        assertThat(condition.getAsBoolean()).isTrue();
        table.set(3, layer(selectedUnits, slots, stored));

        assertThat(condition.getAsBoolean()).isEqualTo(holds);
        assertThat(condition.getAsBoolean()).isEqualTo(holds);
        table.set(3, null);
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @Test
    void ofAnEmptyTableHoldWhileItIsEmpty() {
        BooleanSupplier condition = StepLimits.condition(table, StepLimits.of(table));
        assertThat(condition.getAsBoolean()).isTrue();
        table.set(0, null);
        assertThat(condition.getAsBoolean()).isTrue();
        table.set(0, layer(5, 7, DType.BF16));
        assertThat(condition.getAsBoolean()).isFalse();
    }

    @Test
    void sayHowMuchSharedMemoryASelectionNeeds() {
        table.set(0, layer(5, 7, DType.BF16));
        StepLimits limits = limits();

        // 9 bytes for each of 5 units and 6 for each of 7 slots, rounded up to 4; at least 5 and 2.
        assertThat(Shared.of(limits, 88)).isEqualTo(new Shared(88, false));
        assertThat(Shared.of(limits, 87)).isEqualTo(new Shared(40, true));
        assertThatThrownBy(() -> Shared.of(limits, 39))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a step that selects 5 units among 7 slots needs 40 bytes of shared memory in a block; this"
                        + " device has 39. Lower the sparse budget, the layer's own budget if it has one"
                        + " (--layer-budgets) or the number of cached tokens, or enlarge the chunks");
        var most = new StepLimits(limits.shape(), Integer.MAX_VALUE, Integer.MAX_VALUE);
        assertThatThrownBy(() -> Shared.of(most, 232_448)).hasMessageContaining("15,032,385,532");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void aFetchHasBlocksForHostMemory(int hostBlocks) {
        assertThatThrownBy(() -> ValueFetch.checkHostBlocks(hostBlocks))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the number of blocks that fetch values from host memory is " + hostBlocks
                        + "; expected 1 or more");
        assertThatCode(() -> ValueFetch.checkHostBlocks(1)).doesNotThrowAnyException();
    }

    /// The maxima of all groups fit in a block's registers up to 524,288 units.
    @ParameterizedTest
    @CsvSource({"1,0", "16384,0", "16385,3", "131072,3", "131073,4", "262144,4", "262145,5", "524288,5", "9000000,5"})
    void manyUnitsAreSelectedFromGroups(int units, int shift) {
        assertThat(UnitSelection.groupShift(units)).isEqualTo(shift);
    }
}
