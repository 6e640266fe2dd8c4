package io.shadowkv.engine.batch;

import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Sequences whose turns are read together: forks of one prefix, or a single sequence.
///
/// @param sequences at least one, each with a cache
record TurnGroup(List<Sequence> sequences) {
    private static final SequenceBytes NOTHING = new SequenceBytes(0, 0, List.of());

    /// True if a turn may be read together with these: all are of forks of one prefix, and have at most
    /// `maxRows` new tokens.
    ///
    /// @param prefix the prefix whose memory the further sequence shares; null if it shares none
    /// @param rows its new tokens
    boolean takes(@Nullable Prefix prefix, int rows, int maxRows) {
        return prefix != null && prefix == sequences.getFirst().prefix() && rows() + rows <= maxRows;
    }

    TurnGroup with(Sequence sequence) {
        return new TurnGroup(
                Stream.concat(sequences.stream(), Stream.of(sequence)).toList());
    }

    /// The memory that reading them needs in addition to the sequences.
    PlannedSequence workspace() {
        return Planner.turns(NOTHING, longest(), rows());
    }

    /// The memory of a further fork and of reading its turn together with these.
    ///
    /// @param tokens tokens of the fork, those of its turn included
    /// @param rows tokens of its turn
    PlannedSequence workspaceWith(PlannedSequence fork, int tokens, int rows) {
        return Planner.turns(fork.bytes(), Math.max(longest(), tokens), rows() + rows);
    }

    private int rows() {
        return sequences.stream().mapToInt(Sequence::unread).sum();
    }

    private int longest() {
        return sequences.stream().mapToInt(Sequence::length).max().orElseThrow();
    }
}
