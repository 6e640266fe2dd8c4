package io.shadowkv.op;

import java.util.Map;

/// Times operations where they run. One use is a start, the operation's call, and a stop with what the start gave;
/// uses do not nest. Calls come from the backend's thread, and from work beside its main queue.
///
/// A device records an event before and after an operation on the queue the part runs on (a fetch may have a queue
/// of its own) and waits for none of them until [#nanosByPart].
///
/// @param <T> what a start hands to its stop
public interface Stopwatch<T> extends AutoCloseable {
    /// The next operation of the calling thread belongs to `part`.
    T start(OperationKind part);

    /// The operation has been enqueued.
    void stop(T started, OperationKind part);

    /// Waits for all operations so far and tells what each part took since the last call; parts that run side by side
    /// may take more together than the clock. Parts without an operation are left out.
    Map<OperationKind, Long> nanosByPart();

    @Override
    void close();
}
