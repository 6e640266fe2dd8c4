package io.shadowkv.server;

import io.shadowkv.op.Backend;
import io.shadowkv.op.ForwardingBackend;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A backend whose waits fail or hang when a test says so.
final class FaultyBackend extends ForwardingBackend {
    private final AtomicInteger failures = new AtomicInteger();
    private final Semaphore hung = new Semaphore(0);
    private volatile @Nullable CountDownLatch gate;

    FaultyBackend(Backend backend) {
        super(backend);
    }

    /// The next `count` waits fail. After one failure the engine goes on; a second one breaks it.
    void fail(int count) {
        failures.set(count);
    }

    /// From now on waits hang until [#release].
    void hang() {
        gate = new CountDownLatch(1);
    }

    /// Waits until something hangs.
    void awaitHung() throws InterruptedException {
        hung.acquire();
    }

    void release() {
        CountDownLatch open = gate;
        gate = null;
        if (open != null) {
            open.countDown();
        }
    }

    @Override
    public void synchronize() {
        CountDownLatch closed = gate;
        if (closed != null) {
            hung.release();
            try {
                closed.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new IllegalStateException("the device has fallen off the bus");
        }
        super.synchronize();
    }
}
