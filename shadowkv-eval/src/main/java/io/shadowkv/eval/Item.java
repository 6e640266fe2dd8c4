package io.shadowkv.eval;

/// A sample that every method answers.
///
/// @param task name of an [EvalTask]
/// @param index number of the sample
public record Item(String task, int index) {}
