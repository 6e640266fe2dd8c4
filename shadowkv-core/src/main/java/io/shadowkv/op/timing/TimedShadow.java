package io.shadowkv.op.timing;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.OperationKind;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Times each of ShadowKV's operations under its kind.
final class TimedShadow implements ShadowOperations {
    private final ShadowOperations shadow;
    private final Timer timer;

    TimedShadow(ShadowOperations shadow, Timer timer) {
        this.shadow = shadow;
        this.timer = timer;
    }

    @Override
    public void accumulateGram(Tensor keys, Tensor gram) {
        timer.time(OperationKind.INDEX, () -> shadow.accumulateGram(keys, gram));
    }

    @Override
    public void topEigenvectors(Tensor gram, Tensor basis) {
        timer.time(OperationKind.INDEX, () -> shadow.topEigenvectors(gram, basis));
    }

    @Override
    public void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) {
        timer.time(OperationKind.INDEX, () -> shadow.landmarks(keys, firstUnit, unitTokens, landmarks, minCosines));
    }

    @Override
    public void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) {
        timer.time(OperationKind.INDEX, () -> shadow.splitOutliers(minCosines, outliers, others));
    }

    @Override
    public void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) {
        timer.time(OperationKind.INDEX, () -> shadow.gatherUnits(source, units, unitTokens, target, targetRow));
    }

    @Override
    public void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target) {
        timer.time(OperationKind.INDEX, () -> shadow.scatterUnits(source, sourceRow, units, unitTokens, target));
    }

    @Override
    public void copyRows(Tensor source, int from, int count, Tensor target, int to) {
        timer.time(OperationKind.INDEX, () -> shadow.copyRows(source, from, count, target, to));
    }

    @Override
    public void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) {
        timer.time(OperationKind.INDEX, () -> shadow.unrotate(keys, from, count, firstPosition, rotary, plain));
    }

    @Override
    public void meanKeys(Tensor keys, int count, Tensor means) {
        timer.time(OperationKind.INDEX, () -> shadow.meanKeys(keys, count, means));
    }

    @Override
    public void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to) {
        timer.time(OperationKind.INDEX, () -> shadow.encodeKeys(keys, from, count, means, codes, scales, to));
    }

    @Override
    public void scoreUnits(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        timer.time(OperationKind.SCORE, () -> shadow.scoreUnits(queries, layers, rows, scale, scores));
    }

    @Override
    public void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        timer.time(OperationKind.SELECT, () -> shadow.select(scores, layers, rows));
    }

    @Override
    public void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        timer.time(OperationKind.SELECT, () -> shadow.forceHits(scores, layers, rows, hitRate));
    }

    @Override
    public void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) {
        timer.time(OperationKind.INDEX, () -> shadow.storeValues(source, from, count, values, scales, to));
    }

    @Override
    public void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to) {
        timer.time(OperationKind.FETCH, () -> shadow.restoreValues(values, scales, count, target, to));
    }

    @Override
    public void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys) {
        timer.time(OperationKind.REBUILD, () -> shadow.restoreKeys(factor, basis, count, rotary, keys));
    }

    @Override
    public void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        timer.time(OperationKind.FETCH, () -> shadow.fetchValues(layers, rows));
    }

    @Override
    public void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        timer.time(OperationKind.REBUILD, () -> shadow.rebuildKeys(layers, rows, rotary));
    }
}
