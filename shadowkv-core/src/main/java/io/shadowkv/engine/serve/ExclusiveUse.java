package io.shadowkv.engine.serve;

import io.shadowkv.engine.EngineUnavailableException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Exclusive use of the scheduler and the backend by one calling thread, until closed. The engine's
/// thread waits meanwhile.
final class ExclusiveUse implements LoopTask, AutoCloseable {
    private final ReentrantLock lock;
    private final Condition changed;
    private final Runnable onClose;
    private boolean isGranted;
    private boolean isOver;
    private @Nullable EngineUnavailableException refusal;

    /// @param changed condition of `lock`, signalled when anything changes
    /// @param onClose called by the calling thread before its use ends
    ExclusiveUse(ReentrantLock lock, Condition changed, Runnable onClose) {
        this.lock = lock;
        this.changed = changed;
        this.onClose = onClose;
    }

    @Override
    public boolean isExclusive() {
        return true;
    }

    /// Waits for the engine's thread. The caller must hold the lock.
    ///
    /// @throws EngineUnavailableException if the engine ends before
    void awaitGranted() {
        while (!isGranted && refusal == null) {
            changed.awaitUninterruptibly();
        }
        if (refusal != null) {
            throw new EngineUnavailableException(refusal);
        }
    }

    @Override
    public void run() {
        lock.lock();
        try {
            isGranted = true;
            changed.signalAll();
            while (!isOver) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void refuse(EngineUnavailableException reason) {
        lock.lock();
        try {
            refusal = reason;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        onClose.run();
        lock.lock();
        try {
            isOver = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
