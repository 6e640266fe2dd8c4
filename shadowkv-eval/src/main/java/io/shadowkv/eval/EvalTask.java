package io.shadowkv.eval;

/// Numbered samples of one kind, either generated from a seed or read from a published file.
///
/// A task and an index determine the sample: it is the same in every process and does not depend on
/// earlier calls. Thread-safe.
public interface EvalTask {
    /// Suite and task, such as `ruler/niah_single_1` or `longbench/hotpotqa`.
    String name();

    /// Number of samples; [Integer#MAX_VALUE] if they are generated.
    int size();

    /// Returns a sample.
    ///
    /// @param index from 0, below [#size()]
    /// @throws IllegalArgumentException if the sample cannot be made; the message says why
    Sample sample(int index);
}
