package io.shadowkv.eval;

/// One sample to be answered, by every method.
///
/// @param task an [EvalTask]'s name
/// @param index of the sample
public record Item(String task, int index) {}
