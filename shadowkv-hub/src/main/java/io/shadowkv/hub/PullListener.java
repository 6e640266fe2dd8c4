package io.shadowkv.hub;

/// Hears how a pull goes on; called by the thread that pulls, often, so that it must be quick.
@FunctionalInterface
public interface PullListener {
    /// `doneBytes` of a file's `totalBytes` are on the disk, those of earlier, interrupted pulls included.
    void progress(String file, long doneBytes, long totalBytes);

    /// Something a user should know that is not a failure: a retry with its reason, a file that could not be
    /// verified.
    default void note(String message) {}

    /// A listener that ignores everything.
    static PullListener silent() {
        return (file, doneBytes, totalBytes) -> {};
    }
}
