package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// ShadowKV's operations: the eigenvectors of the keys, indexing at the end of a layer's prefill,
/// and the decode step.
public final class CudaShadow implements ShadowOperations, AutoCloseable {
    private final KeySpectrum spectrum;
    private final ShadowIndexing indexing;
    private final CodeIndexing codes;
    private final ContextRestore restore;
    private final ShadowStep step;

    public CudaShadow(CudaParts parts) {
        this.spectrum = new KeySpectrum(parts);
        this.indexing = new ShadowIndexing(parts);
        this.codes = new CodeIndexing(parts);
        this.restore = new ContextRestore(parts, spectrum, indexing);
        this.step = new ShadowStep(parts);
    }

    @Override
    public void accumulateGram(Tensor keys, Tensor gram) {
        spectrum.accumulateGram(keys, gram);
    }

    @Override
    public void topEigenvectors(Tensor gram, Tensor basis) {
        spectrum.topEigenvectors(gram, basis);
    }

    @Override
    public void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) {
        indexing.landmarks(keys, firstUnit, unitTokens, landmarks, minCosines);
    }

    @Override
    public void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) {
        indexing.splitOutliers(minCosines, outliers, others);
    }

    @Override
    public void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) {
        indexing.gatherUnits(source, units, unitTokens, target, targetRow);
    }

    @Override
    public void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target) {
        restore.scatterUnits(source, sourceRow, units, unitTokens, target);
    }

    @Override
    public void copyRows(Tensor source, int from, int count, Tensor target, int to) {
        indexing.copyRows(source, from, count, target, to);
    }

    @Override
    public void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) {
        indexing.storeValues(source, from, count, values, scales, to);
    }

    @Override
    public void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to) {
        restore.restoreValues(values, scales, count, target, to);
    }

    @Override
    public void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys) {
        restore.restoreKeys(factor, basis, count, rotary, keys);
    }

    @Override
    public void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) {
        indexing.unrotate(keys, from, count, firstPosition, rotary, plain);
    }

    @Override
    public void meanKeys(Tensor keys, int count, Tensor means) {
        codes.meanKeys(keys, count, means);
    }

    @Override
    public void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codeWords, Tensor scales, int to) {
        codes.encodeKeys(keys, from, count, means, codeWords, scales, to);
    }

    @Override
    public void scoreUnits(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        step.score(queries, layers, rows, scale, scores);
    }

    @Override
    public void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        step.forceHits(scores, layers, rows, hitRate);
    }

    @Override
    public void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        step.select(scores, layers, rows);
    }

    @Override
    public void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        step.fetchValues(layers, rows);
    }

    @Override
    public void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        step.rebuildKeys(layers, rows, rotary);
    }

    @Override
    public void close() {
        spectrum.close();
        restore.close();
        codes.close();
        indexing.close();
        step.close();
    }
}
