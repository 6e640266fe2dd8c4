package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Recordings;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// ShadowKV's decode step: scores, selection, fetch, rebuild. For a table without layers it does
/// nothing.
final class ShadowStep implements AutoCloseable {
    private final Recordings recordings;
    private final LandmarkScores scores;
    private final UnitSelection selection;
    private final ValueFetch fetch;
    private final KeyRebuild rebuild;

    ShadowStep(CudaParts parts) {
        this(parts, PendingFetches.HOST_BLOCKS);
    }

    /// @param hostBlocks blocks that read host memory, 1 or more
    ShadowStep(CudaParts parts, int hostBlocks) {
        this.recordings = parts.context().recordings();
        this.scores = new LandmarkScores(parts);
        this.selection = new UnitSelection(parts);
        this.fetch = new ValueFetch(parts, hostBlocks);
        this.rebuild = new KeyRebuild(parts);
    }

    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor target) {
        StepLimits limits = limits(layers);
        if (limits != null) {
            scores.run(queries, layers, limits.shape(), rows, scale, target);
        }
    }

    void forceHits(Tensor target, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        StepLimits limits = limits(layers);
        if (limits != null) {
            selection.forceHits(target, layers, limits.shape(), rows, hitRate);
        }
    }

    void select(Tensor unitScores, SlotTable<IndexedLayer> layers, StepRows rows) {
        StepLimits limits = limits(layers);
        if (limits != null) {
            selection.select(unitScores, layers, limits, rows);
        }
    }

    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        StepLimits limits = limits(layers);
        if (limits != null) {
            fetch.run(layers, limits.shape(), rows);
        }
    }

    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        StepLimits limits = limits(layers);
        if (limits != null) {
            rebuild.run(layers, limits.shape(), rows, rotary);
        }
    }

    /// The limits of the layers. If a step is being recorded, its recording is replayed only while
    /// all layers of the table are within these limits.
    private @Nullable StepLimits limits(SlotTable<IndexedLayer> layers) {
        StepLimits limits = StepLimits.of(layers);
        if (recordings.isRecording()) {
            recordings.replayOnlyWhile(StepLimits.condition(layers, limits));
        }
        return limits;
    }

    @Override
    public void close() {
        scores.close();
        fetch.close();
    }
}
