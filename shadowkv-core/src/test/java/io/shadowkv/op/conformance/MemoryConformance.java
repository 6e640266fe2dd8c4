package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.testing.Exactly;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Memory, transfers and the queue.
public abstract class MemoryConformance extends BackendConformance {
    @Test
    void allocatesZerosAndCountsThemByPlace() {
        try (MemoryScope scope = backend().newScope("test")) {
            Tensor near = scope.allocate(DType.BF16, 3, 7);
            Tensor far = scope.allocate(Backend.Place.HOST, DType.F32, 5);

            assertThat(backend().download(near)).containsOnly(0).hasSize(21);
            assertThat(backend().download(far)).containsOnly(0).hasSize(5);
            assertThat(scope.bytes(Backend.Place.DEVICE)).isEqualTo(42);
            assertThat(scope.bytes(Backend.Place.HOST)).isEqualTo(20);
        }
    }

    @Test
    void closesAScopeTwiceAndHoldsNothingAfter() {
        MemoryScope scope = backend().newScope("test");
        scope.allocate(DType.F32, 1000);
        scope.close();
        scope.close();

        assertThat(scope.bytes(Backend.Place.DEVICE)).isZero();
    }

    @Test
    void bringsIntsThereAndBack() {
        try (MemoryScope scope = backend().newScope("test")) {
            Tensor ints = scope.allocate(DType.I32, 2, 3);
            int[] values = {1, -2, Integer.MAX_VALUE, Integer.MIN_VALUE, 0, 7};
            backend().upload(values, ints);

            assertThat(backend().downloadInts(ints)).containsExactly(values);
            assertThat(backend().downloadInts(ints.slice(1, 1))).containsExactly(Integer.MIN_VALUE, 0, 7);
        }
    }

    @Test
    void bringsLongsAndCodesBack() {
        try (Workbench bench = workbench("longs and codes")) {
            assertThat(bench.longValues(bench.longs(3))).containsExactly(0, 0, 0);
            byte[] codes = {1, -2, 127, -128, 0};
            for (Backend.Place place : Backend.Place.values()) {
                assertThat(bench.codeValues(bench.codes(place, DType.I8, codes, 5)))
                        .containsExactly(codes);
                assertThat(bench.codeValues(bench.codes(place, DType.F8E4M3, codes, 5)))
                        .containsExactly(codes);
            }
        }
    }

    @Test
    void runsWhatIsAsideAndWhatIsReplayed() {
        try (Workbench bench = workbench("aside and replay")) {
            Tensor sum = bench.state(Sample.filled(activationType(), 1, 1, 33));
            Tensor one = bench.input(Sample.filled(activationType(), 1, 1, 33));
            for (int i = 0; i < 3; i++) {
                backend().replay("a step", () -> bench.operations().dense().add(sum, one));
            }
            Tensor copy = bench.output(activationType(), 1, 33);
            backend().aside(() -> bench.operations().dense().copy(sum, copy)).join();
            assertThat(bench.values(copy)).containsOnly(4);
            assertThat(backend().rowBucket(3)).isGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void replaysWithOtherTableEntriesAndContents() {
        try (Workbench bench = workbench("replay with another sequence")) {
            int heads = 2;
            int headDim = 64;
            Sample empty = Sample.filled(DType.BF16, 0, heads, 3, headDim);
            var table = new SlotTable<AttendedRows>();
            var rows = TestRows.attending(new int[] {0}, new int[] {2}).on(bench);
            Tensor added = bench.state(Sample.filled(activationType(), 0, 1, heads, headDim));
            for (int i = 1; i <= 4; i++) {
                AttendedRows region = new AttendedRows(bench.state(empty), bench.state(empty));
                table.set(0, region);
                float[] number = new float[heads * headDim];
                Arrays.fill(number, i);
                bench.refill(added, number);
                backend().replay("append", () -> bench.operations().attention().append(added, added, table, rows));
                float[] expected = new float[heads * 3 * headDim];
                for (int h = 0; h < heads; h++) {
                    Arrays.fill(expected, (h * 3 + 1) * headDim, (h * 3 + 2) * headDim, i);
                }
                Exactly.same("keys, time " + i, expected, bench.values(region.keys()));
                Exactly.same("values, time " + i, expected, bench.values(region.values()));
            }
        }
    }

    @Test
    void runsOperationsInCallOrder() {
        try (Workbench bench = workbench("order of operations")) {
            Sample start = Sample.filled(activationType(), 1, 33);
            Tensor sum = bench.state(start);
            for (int i = 0; i < 5; i++) {
                // In place, so that a step that overtakes another changes the result: 1, 2, 4, 8, 16, 32.
                Tensor before = bench.output(activationType(), 33);
                bench.operations().dense().copy(sum, before);
                bench.operations().dense().add(sum.reshape(1, 33), before.reshape(1, 33));
            }
            backend().synchronize();
            assertThat(bench.values(sum)).containsOnly(32);
        }
    }

    @Test
    void placesHostTensorsWithTheirContents() {
        try (Workbench bench = workbench("placing a tensor");
                MemoryScope scope = backend().newScope("weights")) {
            Sample sample = bench.normal(DType.BF16, 7, 9);
            Tensor placed = backend().place(new Judge().input(sample), scope);

            assertThat(placed.dtype()).isEqualTo(DType.BF16);
            assertThat(bench.values(placed)).containsExactly(sample.values());
        }
    }

    @Test
    void namesItselfAndWhatItMayAllocate() {
        assertThat(backend().name()).isNotBlank();
        assertThat(backend().description()).isNotBlank();
        assertThat(activationType().isFloating()).isTrue();
        assertThat(backend().availableBytes(Backend.Place.DEVICE)).isPositive();
        assertThat(backend().availableBytes(Backend.Place.HOST)).isPositive();
    }
}
