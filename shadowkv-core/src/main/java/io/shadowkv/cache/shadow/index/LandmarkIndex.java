package io.shadowkv.cache.shadow.index;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer.Landmarks;
import io.shadowkv.op.IndexedLayer.UnitIndex;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// The paper's index (arXiv 2410.21465, section 4): the landmark (mean rotated key) of every unit
/// that is not an outlier. Outliers are the units whose landmark is least similar to one of their
/// keys.
final class LandmarkIndex implements SelectionIndex {
    private Landmarks view;
    private final Tensor outliers;
    private final Backend backend;

    LandmarkIndex(
            IndexShape shape, IndexSpec.Landmarks spec, Backend backend, LayerMemory memory, LayerMemory growing) {
        this.view = allocate(shape, spec.chunkSize(), growing);
        this.outliers = memory.allocate(DType.I32, shape.cache().kvHeads(), spec.outlierChunks());
        this.backend = backend;
    }

    private static Landmarks allocate(IndexShape shape, int unitTokens, LayerMemory memory) {
        CacheShape cache = shape.cache();
        Tensor means = memory.allocate(cache.kvType(), cache.kvHeads(), shape.unitCapacity(), cache.headDim());
        Tensor unitIds = memory.allocate(DType.I32, cache.kvHeads(), shape.unitCapacity());
        return new Landmarks(unitTokens, means, unitIds);
    }

    @Override
    public void grow(IndexShape larger, LayerMemory memory, int units) {
        Landmarks grown = allocate(larger, view.unitTokens(), memory);
        if (units > 0) {
            shadow().copyRows(view.means(), 0, units, grown.means(), 0);
            UnitBuffers.copyHeads(backend, view.unitIds(), grown.unitIds(), units);
        }
        view = grown;
    }

    @Override
    public UnitIndex view() {
        return view;
    }

    @Override
    public Tensor outliers() {
        return outliers;
    }

    @Override
    public List<Tensor> tensors() {
        return List.of(view.means(), view.unitIds(), outliers);
    }

    static UnitBuffers buildBuffers(CacheShape shape, MemoryScope scope, int units, int outliers) {
        UnitBuffers.Means means = means(shape, scope, units);
        return new UnitBuffers(units, null, means, scope.allocate(DType.I32, shape.kvHeads(), units - outliers));
    }

    /// Upper bound of the bytes of [#buildBuffers].
    static long buildBytes(CacheShape shape, int units) {
        long perUnit = (long) shape.kvWidth() * shape.kvType().bytes() + 2L * shape.kvHeads() * Float.BYTES;
        return units * perUnit;
    }

    static UnitBuffers extendBuffers(CacheShape shape, Backend backend, MemoryScope scope, int firstUnit, int units) {
        UnitBuffers.Means means = means(shape, scope, units);
        return new UnitBuffers(units, UnitBuffers.numbers(backend, scope, firstUnit, units), means, null);
    }

    private static UnitBuffers.Means means(CacheShape shape, MemoryScope scope, int units) {
        return new UnitBuffers.Means(
                scope.allocate(shape.kvType(), shape.kvHeads(), units, shape.headDim()),
                scope.allocate(DType.F32, shape.kvHeads(), units));
    }

    @Override
    public void build(Tensor keys, UnitBuffers buffers) {
        UnitBuffers.Means all = buffers.means();
        Tensor others = buffers.others();
        shadow().landmarks(keys, 0, view.unitTokens(), all.landmarks(), all.minCosines());
        shadow().splitOutliers(all.minCosines(), outliers, others);
        shadow().gatherUnits(all.landmarks(), others, 1, view.means(), 0);
        int kept = others.extent(1);
        for (int head = 0; head < others.extent(0); head++) {
            backend.operations()
                    .dense()
                    .copy(others.row(head), view.unitIds().row(head).slice(0, kept));
        }
    }

    @Override
    public void extend(Tensor keys, int rowUnit, int at, UnitBuffers buffers) {
        UnitBuffers.Means fresh = buffers.means();
        int count = buffers.units();
        shadow().landmarks(keys, rowUnit, view.unitTokens(), fresh.landmarks(), fresh.minCosines());
        shadow().copyRows(fresh.landmarks(), 0, count, view.means(), at);
        for (int head = 0; head < view.unitIds().extent(0); head++) {
            backend.operations()
                    .dense()
                    .copy(buffers.numbers(), view.unitIds().row(head).slice(at, count));
        }
    }

    private ShadowOperations shadow() {
        return backend.operations().shadow();
    }
}
