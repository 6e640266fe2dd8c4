package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// The rows that attention reads in one layer: `outliers | cached units | recent`, with rotated
/// keys, one region per key-value head.
///
/// Recent rows hold the local tokens of the prompt, followed by generated tokens. The order within
/// the region does not matter to attention, because the rotation of a key encodes its position.
final class ResidentBuffer {
    private final LayerLayout layout;
    private final AttendedRows rows;
    private final ShadowOperations shadow;

    ResidentBuffer(LayerLayout layout, Backend backend, LayerMemory memory) {
        CacheShape shape = layout.sequence().shape();
        int heads = shape.kvHeads();
        int headDim = shape.headDim();
        this.layout = layout;
        this.rows = new AttendedRows(
                memory.allocate(shape.kvType(), heads, layout.residentRows(), headDim),
                memory.allocate(shape.kvType(), heads, layout.residentRows(), headDim));
        this.shadow = backend.operations().shadow();
    }

    AttendedRows rows() {
        return rows;
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        return List.of(rows.keys(), rows.values());
    }

    /// Stores a sequence that fits without an index; row t belongs to token t.
    void keepWhole(Tensor keys, Tensor values, int tokens) {
        shadow.copyRows(keys, 0, tokens, rows.keys(), 0);
        shadow.copyRows(values, 0, tokens, rows.values(), 0);
    }

    /// Copies the first `tokens` rows to `keys` and `values`, to index a sequence that no longer
    /// fits.
    void copyTo(Tensor keys, Tensor values, int tokens) {
        shadow.copyRows(rows.keys(), 0, tokens, keys, 0);
        shadow.copyRows(rows.values(), 0, tokens, values, 0);
    }

    /// Copies the first `tokens` rows to the same rows of `target`.
    void copyWhole(ResidentBuffer target, int tokens) {
        copyTo(target, 0, tokens, 0);
    }

    /// Copies outliers and `recent` recent tokens to `target`.
    void copyKept(ResidentBuffer target, int recent) {
        copyTo(target, 0, layout.cachedRow(), 0);
        copyTo(target, layout.recentRow(), recent, target.layout.recentRow());
    }

    private void copyTo(ResidentBuffer target, int from, int count, int to) {
        shadow.copyRows(rows.keys(), from, count, target.rows.keys(), to);
        shadow.copyRows(rows.values(), from, count, target.rows.values(), to);
    }

    /// @param outliers I32 `[kvHeads, outlierChunks]`, unit numbers
    void keepOutliers(Tensor keys, Tensor values, Tensor outliers) {
        shadow.gatherUnits(keys, outliers, layout.unitTokens(), rows.keys(), 0);
        shadow.gatherUnits(values, outliers, layout.unitTokens(), rows.values(), 0);
    }

    /// Copies outliers to the rows of their tokens.
    ///
    /// @param outliers I32 `[kvHeads, outlierChunks]`, unit numbers
    /// @param keys `[kvHeads, capacity, headDim]`, row t belongs to token t
    void restoreOutliers(Tensor outliers, Tensor keys, Tensor values) {
        int unitTokens = layout.unitTokens();
        shadow.scatterUnits(rows.keys(), 0, outliers, unitTokens, keys);
        shadow.scatterUnits(rows.values(), 0, outliers, unitTokens, values);
    }

    /// Copies recent tokens to the rows of their tokens.
    ///
    /// @param recentToken position of the oldest recent token
    /// @param recent number of recent tokens
    /// @param keys `[kvHeads, capacity, headDim]`, row t belongs to token t
    void restoreRecent(int recentToken, int recent, Tensor keys, Tensor values) {
        shadow.copyRows(rows.keys(), layout.recentRow(), recent, keys, recentToken);
        shadow.copyRows(rows.values(), layout.recentRow(), recent, values, recentToken);
    }

    /// Adds `count` recent tokens of `keys` and `values`, from row `from` on, behind `held` ones.
    void addRecent(Tensor keys, Tensor values, int from, int count, int held) {
        shadow.copyRows(keys, from, count, rows.keys(), layout.recentRow() + held);
        shadow.copyRows(values, from, count, rows.values(), layout.recentRow() + held);
    }

    /// Drops the oldest `count` of `held` recent rows and moves the others to the front.
    void dropRecent(int count, int held) {
        int from = layout.recentRow() + count;
        shadow.copyRows(rows.keys(), from, held - count, rows.keys(), layout.recentRow());
        shadow.copyRows(rows.values(), from, held - count, rows.values(), layout.recentRow());
    }
}
