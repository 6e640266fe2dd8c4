package io.shadowkv.eval;

/// Numbered samples of one kind: generated from a seed, or read from a published file.
///
/// The same task and index give the same sample in every process, whatever was asked for before. Any
/// thread may ask, several at a time.
public interface EvalTask {
    /// Suite and task, such as `ruler/niah_single_1` or `longbench/hotpotqa`.
    String name();

    /// Samples there are; [Integer#MAX_VALUE] where they are generated.
    int size();

    /// @param index from 0, below [#size()]
    /// @throws IllegalArgumentException if the sample cannot be made; the message says why
    Sample sample(int index);
}
