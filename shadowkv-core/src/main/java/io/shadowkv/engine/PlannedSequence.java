package io.shadowkv.engine;

import io.shadowkv.cache.SequenceSize;

/// The memory that the plan assigns to one sequence.
///
/// @param size size that the sequence is allocated for
/// @param bytes memory that this size needs
public record PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes) {}
