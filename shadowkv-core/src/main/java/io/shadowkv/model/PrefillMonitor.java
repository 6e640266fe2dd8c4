package io.shadowkv.model;

/// Observes a prefill. An exception thrown by a method ends the prefill.
public interface PrefillMonitor {
    /// @param done completed share of the work, from 0 to 1
    void progress(double done);

    /// Called after each layer's caches were indexed, or after indexing was started on the side
    /// queue.
    ///
    /// @param nanos time that prefill waited for indexing
    default void waitedForIndexing(long nanos) {}
}
