package io.shadowkv.op;

/// What an operation is for. Time measurements of a step are split by kind.
public enum OperationKind {
    /// Products with weights, and of plain keys with the low-rank basis.
    LINEARS("weights"),
    /// Embedding, norms, activations, residual sums, rotation, writing new keys and values.
    ROWS("norms etc."),
    /// Landmark scores in a decode step, and block scores of sparse prefill.
    SCORE("score"),
    /// The selection of units, or of key blocks in sparse prefill, real or synthetic.
    SELECT("select"),
    /// Fetching the values of misses from the store into their slots.
    FETCH("fetch"),
    /// Rebuilding the keys of misses from the key factor into their slots.
    REBUILD("rebuild"),
    /// Exact attention, in prefill or in a decode step.
    ATTENTION("attention"),
    /// Selecting token ids from logits.
    SAMPLE("sampling"),
    /// The end of prefill: factorising, indexing, offloading. Includes everything that runs on the
    /// side queue.
    INDEX("indexing");

    private final String title;

    OperationKind(String title) {
        this.title = title;
    }

    /// Display name.
    public String title() {
        return title;
    }
}
