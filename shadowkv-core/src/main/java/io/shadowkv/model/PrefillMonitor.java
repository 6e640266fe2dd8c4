package io.shadowkv.model;

/// Watches a prefill between two pieces of work; an exception that it throws ends the prefill.
public interface PrefillMonitor {
    /// @param done share of the work, 0 to 1
    void progress(double done);

    /// A layer's caches were turned into what decode reads, or that was begun beside the next layer.
    ///
    /// @param nanos time that reading waited for it
    default void layerSealed(long nanos) {}
}
