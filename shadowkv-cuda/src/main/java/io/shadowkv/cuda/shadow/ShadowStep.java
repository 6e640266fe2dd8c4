package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// ShadowKV's decode step: scores, selection, fetch, rebuild. A table without layers leaves nothing to do.
final class ShadowStep implements AutoCloseable {
    private final LandmarkScores scores;
    private final UnitSelection selection;
    private final ValueFetch fetch;
    private final KeyRebuild rebuild;

    ShadowStep(CudaParts parts) {
        this(parts, PendingFetches.HOST_BLOCKS);
    }

    /// @param hostBlocks blocks that read host memory
    ShadowStep(CudaParts parts, int hostBlocks) {
        this.scores = new LandmarkScores(parts);
        this.selection = new UnitSelection(parts);
        this.fetch = new ValueFetch(parts, hostBlocks);
        this.rebuild = new KeyRebuild(parts);
    }

    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor target) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape != null) {
            scores.run(queries, layers, shape, rows, scale, target);
        }
    }

    void forceHits(Tensor target, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape != null) {
            selection.forceHits(target, layers, shape, rows, hitRate);
        }
    }

    void select(Tensor unitScores, SlotTable<IndexedLayer> layers, StepRows rows) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape != null) {
            selection.select(unitScores, layers, shape, rows);
        }
    }

    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape != null) {
            fetch.run(layers, shape, rows);
        }
    }

    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        IndexedShape shape = IndexedShape.of(layers);
        if (shape != null) {
            rebuild.run(layers, shape, rows, rotary);
        }
    }

    @Override
    public void close() {
        scores.close();
        fetch.close();
    }
}
