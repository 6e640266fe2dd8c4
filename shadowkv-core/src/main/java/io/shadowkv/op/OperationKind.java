package io.shadowkv.op;

/// What an operation is for; the parts that a step's time is split into.
public enum OperationKind {
    /// Products with weights, and of plain keys with the low-rank basis.
    LINEARS("weights"),
    /// Embedding, norms, activations, residual sums, rotation, writing new keys and values.
    ROWS("norms etc."),
    /// Landmark scores.
    SCORE("score"),
    /// The choice of units, synthetic or not.
    SELECT("select"),
    /// Values of misses from the store to their slots.
    FETCH("fetch"),
    /// Keys of misses from the factor to their slots.
    REBUILD("rebuild"),
    /// Exact attention, of a prompt or of a step.
    ATTENTION("attention"),
    /// Logits to ids.
    SAMPLE("sampling"),
    /// The end of prefill: factorising, indexing, offloading; all of it where it runs beside the main queue.
    INDEX("indexing");

    private final String title;

    OperationKind(String title) {
        this.title = title;
    }

    /// The part's name for people.
    public String title() {
        return title;
    }
}
