package io.shadowkv.engine.batch;

import java.util.Comparator;
import java.util.List;

/// Decides which waiting sequence is admitted next, and which running one keeps its memory. Pure
/// functions.
final class Policy {
    /// The higher priority first, then the earlier submission.
    private static final Comparator<Sequence> ORDER = Comparator.comparingInt(
                    (Sequence sequence) -> sequence.request().priority())
            .reversed()
            .thenComparingLong(Sequence::order);

    private Policy() {}

    /// Orders running sequences by who keeps its memory when memory is short: the one that would be
    /// admitted first.
    static List<Sequence> byImportance(List<Sequence> running) {
        return running.stream().sorted(ORDER).toList();
    }

    /// Returns the sequence that is admitted next. If it does not fit, those behind it wait as
    /// well: a long prompt would otherwise wait as long as short ones arrive.
    ///
    /// @param waiting at least one
    static Sequence next(List<Sequence> waiting) {
        return waiting.stream().min(ORDER).orElseThrow();
    }
}
