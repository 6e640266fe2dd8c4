package io.shadowkv.model;

import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;

/// What a decode step gives, for each of its logit rows in order. Valid until the next step.
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

    /// Logit rows of the step.
    public int size() {
        return rows.length;
    }

    /// The most likely token after logit row `i`; -1 if its logits are not numbers that can be compared.
    public int id(int i) {
        return ids[rows[i]];
    }

    /// The logits after logit row `i`, `[vocabulary]`, fetched now.
    public float[] logits(int i) {
        return backend.download(logits.row(rows[i]));
    }
}
