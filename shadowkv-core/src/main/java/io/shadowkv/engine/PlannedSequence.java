package io.shadowkv.engine;

import io.shadowkv.cache.SequenceSize;
import java.util.List;

/// The memory that the plan assigns to one sequence.
///
/// @param size size that the sequence is allocated for
/// @param bytes memory that this size needs
/// @param sharedTokens leading tokens whose memory is that of another sequence
/// @param isRead true if the workspace of a prompt is needed as well, to read the sequence
public record PlannedSequence(
        SequenceSize size, MemoryPlan.SequenceBytes bytes, int sharedTokens, boolean isRead) {
    /// A sequence that is read.
    public PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes, int sharedTokens) {
        this(size, bytes, sharedTokens, true);
    }

    /// More memory for a sequence that is read already.
    public static PlannedSequence more(SequenceSize size, long device, long host) {
        return new PlannedSequence(size, new MemoryPlan.SequenceBytes(device, host, List.of()), 0, false);
    }

    /// A sequence that shares nothing.
    public PlannedSequence(SequenceSize size, MemoryPlan.SequenceBytes bytes) {
        this(size, bytes, 0);
    }

    /// Tokens whose memory is the sequence's own.
    public int ownTokens() {
        return size.reservedTokens() - sharedTokens;
    }
}
