package io.shadowkv.engine;

import io.shadowkv.cache.SequenceSize;

/// What the plan gives one sequence.
///
/// @param size what it is allocated for
/// @param bytes what that takes
public record PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes) {}
