package io.shadowkv.hub;

/// Receives the progress of a pull. Called often by the pulling thread, so it must return quickly.
@FunctionalInterface
public interface PullListener {
    /// `doneBytes` of a file's `totalBytes` are on disk, including those of interrupted pulls.
    void progress(String file, long doneBytes, long totalBytes);

    /// Information for the user that is not a failure, such as a retry with its reason or a file
    /// that could not be verified.
    default void note(String message) {}

    /// A listener that ignores everything.
    static PullListener silent() {
        return (file, doneBytes, totalBytes) -> {};
    }
}
