package io.shadowkv.model;

import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;

/// The result of a decode step, for each of its logit rows in order. Valid until the next step.
public final class StepResult {
    private final Backend backend;
    private final Tensor logits;
    private final int[] ids;
    private final int[] rows;

    /// @param logits F32 `[any, vocabulary]`
    /// @param rows row of `logits` that belongs to each logit row
    StepResult(Backend backend, Tensor logits, int[] ids, int[] rows) {
        this.backend = backend;
        this.logits = logits;
        this.ids = ids;
        this.rows = rows;
    }

    /// Number of logit rows of the step.
    public int size() {
        return rows.length;
    }

    /// The most likely token after logit row `i`; -1 if its logits contain a NaN or the largest is
    /// not finite.
    public int id(int i) {
        return ids[rows[i]];
    }

    /// Downloads the logits of logit row `i`, `[vocabulary]`.
    public float[] logits(int i) {
        return backend.download(logits.row(rows[i]));
    }

    /// The logits that logit rows select from, F32 `[any, vocabulary]`. Rows without a token are
    /// unspecified. They can be changed in place.
    public Tensor allLogits() {
        return logits;
    }

    /// Row of [#allLogits] of logit row `i`.
    public int row(int i) {
        return rows[i];
    }
}
