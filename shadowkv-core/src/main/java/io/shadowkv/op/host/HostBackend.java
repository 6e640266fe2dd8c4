package io.shadowkv.op.host;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Stopwatch;
import io.shadowkv.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// The common part of backends that compute on the host's processor. An operation has finished when
/// its call returns, so there is nothing to record, no padding, and no side queue.
public interface HostBackend extends Backend {
    @Override
    default MemoryScope newScope(String purpose, long deviceBytes) {
        return newScope(purpose);
    }

    /// The operations decode every format where it lies.
    @Override
    default @Nullable Weight placeQuantised(Weight host, MemoryScope scope) {
        return host;
    }

    @Override
    default MemoryRates rates() {
        return MemoryRates.ONE_MEMORY;
    }

    /// Enough rows to use all cores; activations stay small.
    @Override
    default int prefillRows() {
        return 512;
    }

    @Override
    default int rowBucket(int rows) {
        return rows;
    }

    @Override
    default void replay(Object key, Runnable step) {
        step.run();
    }

    @Override
    default boolean hasSideQueue() {
        return false;
    }

    @Override
    default Ticket aside(Runnable work) {
        work.run();
        return Ticket.DONE;
    }

    @Override
    default boolean isDivisible() {
        return false;
    }

    @Override
    default void divide(double readingShare) {
        if (readingShare != 0) {
            throw new UnsupportedOperationException("the " + name() + " backend cannot divide its processors");
        }
    }

    @Override
    default Ticket enqueueReading(Runnable work) {
        throw new UnsupportedOperationException("the " + name() + " backend has no reading queue");
    }

    @Override
    default Stopwatch<?> newStopwatch() {
        return new HostStopwatch(this);
    }
}
