package io.shadowkv.engine;

import io.shadowkv.cache.SequenceSize;

/// The memory that the plan assigns to one sequence.
///
/// @param size size that the sequence is allocated for
/// @param bytes memory that this size needs
/// @param sharedTokens leading tokens whose memory is that of another sequence
public record PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes, int sharedTokens) {
    /// A sequence that shares nothing.
    public PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes) {
        this(size, bytes, 0);
    }

    /// Tokens whose memory is the sequence's own.
    public int ownTokens() {
        return size.capacityTokens() - sharedTokens;
    }
}
