package io.shadowkv.server.generate;

import io.shadowkv.engine.Completion;

/// Receives what happens to generations, for metrics. Called by many threads.
public interface GenerationObserver {
    /// A token arrived.
    ///
    /// @param gapNanos time since the previous token of this sequence; 0 for its first token
    void token(long gapNanos);

    /// A generation ended without a failure.
    ///
    /// @param totalNanos time since the submission
    void ended(Completion completion, long totalNanos);

    /// A generation failed.
    void failed(RuntimeException failure);
}
