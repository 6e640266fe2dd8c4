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
    private static final double LOG2_E = 1 / Math.log(2);

    private final CudaParts parts;
    private final Recordings recordings;
    private final PlainScores plainScores;
    private final LandmarkScores landmarkScores;
    private final CodeScores codeScores;
    private final UnitSelection selection;
    private final ValueFetch fetch;
    private final KeyRebuild rebuild;

    ShadowStep(CudaParts parts) {
        this(parts, PendingFetches.HOST_BLOCKS);
    }

    /// @param hostBlocks blocks that read host memory, 1 or more
    ShadowStep(CudaParts parts, int hostBlocks) {
        this.parts = parts;
        this.recordings = parts.context().recordings();
        this.plainScores = new PlainScores(parts);
        this.landmarkScores = new LandmarkScores(parts, plainScores);
        this.codeScores = new CodeScores(parts, plainScores);
        this.selection = new UnitSelection(parts);
        this.fetch = new ValueFetch(parts, hostBlocks);
        this.rebuild = new KeyRebuild(parts);
    }

    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor target) {
        StepLimits limits = limits(layers);
        if (limits == null || rows.count() == 0) {
            return;
        }
        IndexedShape shape = limits.shape();
        Tensor table = parts.mirrors().indexed(layers);
        float exponent = (float) (scale * LOG2_E);
        if (shape.isCoded()) {
            codeScores.run(queries, table, shape, rows, exponent, target);
        } else {
            landmarkScores.run(queries, table, shape, rows, exponent, target);
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
        landmarkScores.close();
        codeScores.close();
        plainScores.close();
        selection.close();
        fetch.close();
    }
}
