package io.shadowkv.cache;

import io.shadowkv.tensor.Tensor;
import java.util.Map;

/// Everything that a sequence consists of, to save it and to restore it.
///
/// @param tensors by name, in a fixed order; views of the sequence's memory, valid until it is closed
/// @param numbers by name
public record SequenceState(Map<String, Tensor> tensors, Map<String, Long> numbers) {}
