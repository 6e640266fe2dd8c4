package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Tensors of more than 2^31 elements, and therefore of more than 2^31 bytes: the same numbers in tensors with room
/// for much more give the same results, bit by bit. The rows that are read lie behind the 2^31st element.
@GpuTest
class CudaLargeTensorsTest {
    private static final long LIMIT = 1L << 31;
    private static final int HEAD_DIM = 128;
    private static final double SCALE = 1 / Math.sqrt(HEAD_DIM);

    private final Backend backend = new SharedCuda();
    private final Operations operations = backend.operations();
    private final MemoryScope scope = backend.newScope("large tensors");
    private long seed = 20261201;

    @AfterEach
    void close() {
        scope.close();
        backend.close();
    }

    /// Keys and values of 8 heads whose rows have room for 2.4 million tokens: the last head starts behind the limit.
    @Test
    void attentionReadsHeadsBehindTheLimit() {
        int heads = 8;
        int tokens = 700;
        int capacity = 2_400_000;
        Tensor newKeys = normal(tokens, heads, HEAD_DIM);
        Tensor newValues = normal(tokens, heads, HEAD_DIM);
        AttendedRows small = new AttendedRows(bf16(heads, tokens, HEAD_DIM), bf16(heads, tokens, HEAD_DIM));
        AttendedRows large = new AttendedRows(bf16(heads, capacity, HEAD_DIM), bf16(heads, capacity, HEAD_DIM));
        assertThat((heads - 1L) * capacity * HEAD_DIM).isGreaterThan(LIMIT);
        for (AttendedRows rows : new AttendedRows[] {small, large}) {
            operations.attention().store(newKeys, rows.keys(), 0);
            operations.attention().store(newValues, rows.values(), 0);
        }
        Tensor queries = normal(tokens, 4 * heads, HEAD_DIM);
        assertThat(prefill(queries, large, tokens)).isEqualTo(prefill(queries, small, tokens));
        Tensor query = normal(1, 4 * heads, HEAD_DIM);
        assertThat(decode(query, large, tokens)).isEqualTo(decode(query, small, tokens));
    }

    private float[] prefill(Tensor queries, AttendedRows rows, int tokens) {
        Tensor out = bf16(queries.extent(0), queries.extent(1), HEAD_DIM);
        operations.attention().prefill(queries, rows.keys(), rows.values(), tokens, SCALE, out);
        return backend.download(out);
    }

    private float[] decode(Tensor query, AttendedRows rows, int tokens) {
        var table = new SlotTable<AttendedRows>();
        table.set(0, rows);
        Tensor out = bf16(1, query.extent(1), HEAD_DIM);
        operations.attention().decode(query, table, step(tokens, 0), SCALE, out);
        return backend.download(out);
    }

    /// A step of ShadowKV whose landmarks, factor, values and rotary tables lie behind the limit.
    @Test
    void aStepReadsWhatLiesBehindTheLimit() {
        int units = 96;
        Sizes small = new Sizes(units, units);
        Sizes large = new Sizes(17_000_000, 1_750_000);
        assertThat((long) large.unitCapacity() * HEAD_DIM).isGreaterThan(LIMIT);
        assertThat((large.chunks() * 8L - 8L * units) * Sizes.RANK).isGreaterThan(LIMIT);
        Parts parts = new Parts(
                normal(Sizes.HEADS, units, HEAD_DIM),
                normal(8 * units, Sizes.RANK),
                normal(Sizes.RANK, Sizes.HEADS * HEAD_DIM),
                normal(Sizes.HEADS, 8 * units, HEAD_DIM),
                floats(8 * units, HEAD_DIM / 2),
                floats(8 * units, HEAD_DIM / 2));
        Tensor query = normal(1, 4 * Sizes.HEADS, HEAD_DIM);
        IndexedLayer first = step(query, parts, small, units);
        IndexedLayer second = step(query, parts, large, units);
        assertThat(backend.downloadInts(first.residency().missCounts())).containsOnly(Sizes.SELECTED);
        same(first.residency().attended().keys(), second.residency().attended().keys());
        same(
                first.residency().attended().values(),
                second.residency().attended().values());
        assertThat(backend.downloadInts(second.residency().residentUnits()))
                .containsExactly(backend.downloadInts(first.residency().residentUnits()));
    }

    private void same(Tensor expected, Tensor found) {
        float[] values = backend.download(expected);
        assertThat(values[values.length - 1]).as("what was fetched").isNotZero();
        assertThat(backend.download(found)).isEqualTo(values);
    }

    /// @param unitCapacity room in the index
    /// @param chunks of all tokens; the indexed units are the last ones
    private record Sizes(int unitCapacity, int chunks) {
        static final int HEADS = 2;
        static final int RANK = 160;
        static final int SELECTED = 16;
    }

    /// The numbers of a layer.
    private record Parts(Tensor landmarks, Tensor factor, Tensor basis, Tensor values, Tensor cosines, Tensor sines) {}

    private IndexedLayer step(Tensor query, Parts parts, Sizes sizes, int units) {
        int first = sizes.chunks() - units;
        int tokens = 8 * sizes.chunks();
        Tensor landmarks = bf16(Sizes.HEADS, sizes.unitCapacity(), HEAD_DIM);
        Tensor ids = scope.allocate(DType.I32, Sizes.HEADS, sizes.unitCapacity());
        Tensor values = bf16(Sizes.HEADS, tokens, HEAD_DIM);
        int[] chunks = new int[units];
        Arrays.setAll(chunks, unit -> first + unit);
        for (int head = 0; head < Sizes.HEADS; head++) {
            operations
                    .dense()
                    .copy(parts.landmarks().row(head), landmarks.row(head).slice(0, units));
            backend.upload(chunks, ids.row(head).slice(0, units));
            operations.dense().copy(parts.values().row(head), values.row(head).slice(8 * first, 8 * units));
        }
        Tensor factor = behind(parts.factor(), tokens);
        int rows = 8 * Sizes.SELECTED;
        IndexedLayer layer = new IndexedLayer(
                new IndexedLayer.Landmarks(8, landmarks, ids),
                new IndexedLayer.KeyFactor(factor, parts.basis()),
                new IndexedLayer.StoredValues(values, null),
                new IndexedLayer.Residency(
                        new AttendedRows(bf16(Sizes.HEADS, rows, HEAD_DIM), bf16(Sizes.HEADS, rows, HEAD_DIM)),
                        0,
                        minusOnes(Sizes.SELECTED),
                        scope.allocate(DType.I32, Sizes.HEADS, Sizes.SELECTED),
                        minusOnes(Sizes.SELECTED),
                        minusOnes(Sizes.SELECTED),
                        minusOnes(Sizes.SELECTED),
                        scope.allocate(DType.I32, Sizes.HEADS),
                        scope.allocate(DType.I64, 2)));
        var table = new SlotTable<IndexedLayer>();
        table.set(0, layer);
        StepRows step = step(0, units);
        var rotary = new Rotary(behind(parts.cosines(), tokens), behind(parts.sines(), tokens), HEAD_DIM, false, 1);
        Tensor scores = scope.allocate(DType.F32, 1, Sizes.HEADS, units);
        operations.shadow().scoreUnits(query, table, step, SCALE, scores);
        operations.shadow().select(scores, table, step);
        operations.shadow().fetchValues(table, step);
        operations.shadow().rebuildKeys(table, step, rotary);
        backend.synchronize();
        return layer;
    }

    /// A tensor of `rows` rows that ends with those of `source`.
    private Tensor behind(Tensor source, int rows) {
        Tensor target = scope.allocate(source.dtype(), rows, source.extent(1));
        operations.dense().copy(source, target.slice(rows - source.extent(0), source.extent(0)));
        return target;
    }

    private StepRows step(int attended, int units) {
        return new StepRows(1, ints(0), ints(0), ints(0), ints(attended), ints(units));
    }

    private Tensor ints(int value) {
        Tensor tensor = scope.allocate(DType.I32, 1);
        backend.upload(new int[] {value}, tensor);
        return tensor;
    }

    private Tensor minusOnes(int columns) {
        Tensor tensor = scope.allocate(DType.I32, Sizes.HEADS, columns);
        int[] values = new int[Sizes.HEADS * columns];
        Arrays.fill(values, -1);
        backend.upload(values, tensor);
        return tensor;
    }

    private Tensor bf16(int... extents) {
        return scope.allocate(DType.BF16, extents);
    }

    private Tensor normal(int... extents) {
        Tensor tensor = bf16(extents);
        operations.dense().fillNormal(tensor, seed++, 1);
        return tensor;
    }

    private Tensor floats(int... extents) {
        Tensor tensor = scope.allocate(DType.F32, extents);
        operations.dense().fillNormal(tensor, seed++, 1);
        return tensor;
    }
}
