package io.shadowkv.cache.shadow;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// What attention reads of one layer: `outliers | cached units | recent`, keys rotated, one region a key-value head.
///
/// Recent rows hold the local tokens of the prompt, then the generated ones. Order inside the region is free:
/// attention does not care, and keys carry their positions in their rotation.
final class ResidentBuffer {
    private final ShadowLayout layout;
    private final AttendedRows rows;
    private final ShadowOperations shadow;

    ResidentBuffer(ShadowLayout layout, Backend backend, LayerMemory memory) {
        int heads = layout.shape().kvHeads();
        int headDim = layout.shape().headDim();
        this.layout = layout;
        this.rows = new AttendedRows(
                memory.allocate(layout.shape().kvType(), heads, layout.residentRows(), headDim),
                memory.allocate(layout.shape().kvType(), heads, layout.residentRows(), headDim));
        this.shadow = backend.operations().shadow();
    }

    AttendedRows rows() {
        return rows;
    }

    /// Everything kept, in a fixed order.
    List<Tensor> tensors() {
        return List.of(rows.keys(), rows.values());
    }

    /// Keeps a sequence that fits: row t is token t.
    void keepWhole(Tensor keys, Tensor values, int tokens) {
        shadow.copyRows(keys, 0, tokens, rows.keys(), 0);
        shadow.copyRows(values, 0, tokens, rows.values(), 0);
    }

    /// Copies the first `tokens` rows out, for indexing a sequence that no longer fits.
    void copyTo(Tensor keys, Tensor values, int tokens) {
        shadow.copyRows(rows.keys(), 0, tokens, keys, 0);
        shadow.copyRows(rows.values(), 0, tokens, values, 0);
    }

    /// @param outliers I32 `[kvHeads, outlierChunks]`, unit numbers
    void keepOutliers(Tensor keys, Tensor values, Tensor outliers) {
        shadow.gatherUnits(keys, outliers, layout.spec().chunkSize(), rows.keys(), 0);
        shadow.gatherUnits(values, outliers, layout.spec().chunkSize(), rows.values(), 0);
    }

    /// Fills the recent rows with `count` tokens from row `from` on.
    void keepRecent(Tensor keys, Tensor values, int from, int count) {
        shadow.copyRows(keys, from, count, rows.keys(), layout.recentRow());
        shadow.copyRows(values, from, count, rows.values(), layout.recentRow());
    }

    /// Forgets the oldest `count` recent rows, of `held`; the others move to the front.
    void dropRecent(int count, int held) {
        int from = layout.recentRow() + count;
        shadow.copyRows(rows.keys(), from, held - count, rows.keys(), layout.recentRow());
        shadow.copyRows(rows.values(), from, held - count, rows.values(), layout.recentRow());
    }
}
