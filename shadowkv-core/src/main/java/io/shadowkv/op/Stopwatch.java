package io.shadowkv.op;

import java.util.Map;

/// Times operations on the queue that they run on. Call [#start], then the operation, then [#stop]
/// with the result of the start. Uses do not nest. Calls come from the backend's thread and from
/// work on its side queue.
///
/// A device records an event before and after an operation on that operation's queue (fetches may
/// have a queue of their own). It does not wait for the events before [#nanosByKind].
///
/// @param <T> what [#start] returns and [#stop] takes
public interface Stopwatch<T> extends AutoCloseable {
    /// Starts timing the next operation of the calling thread.
    T start(OperationKind kind);

    /// Stops timing; call it after the operation was enqueued.
    void stop(T started, OperationKind kind);

    /// Waits for all operations so far and returns the time of each kind since the last call. Kinds
    /// that run concurrently may add up to more than the elapsed time. Kinds without an operation
    /// are left out.
    Map<OperationKind, Long> nanosByKind();

    @Override
    void close();
}
