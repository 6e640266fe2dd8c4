package io.shadowkv.engine.laws;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// Counts the calls of every operation by its name, lets a call fail, or holds the thread that makes it. Calls may come
/// from work on the side queue, on another thread.
final class WatchedBackend extends ForwardingBackend {
    private final Map<String, Integer> calls = new ConcurrentHashMap<>();
    private final Map<String, Integer> failing = new ConcurrentHashMap<>();
    private final Operations watched;
    private volatile @Nullable Hold next;

    WatchedBackend(Backend backend) {
        super(backend);
        Operations operations = backend.operations();
        DenseOperations dense = watched(DenseOperations.class, operations.dense());
        AttentionOperations attention = watched(AttentionOperations.class, operations.attention());
        ShadowOperations shadow = watched(ShadowOperations.class, operations.shadow());
        SamplingOperations sampling = watched(SamplingOperations.class, operations.sampling());
        this.watched = new Operations() {
            @Override
            public DenseOperations dense() {
                return dense;
            }

            @Override
            public AttentionOperations attention() {
                return attention;
            }

            @Override
            public ShadowOperations shadow() {
                return shadow;
            }

            @Override
            public SamplingOperations sampling() {
                return sampling;
            }
        };
    }

    /// Calls of an operation so far.
    int calls(String operation) {
        return calls.getOrDefault(operation, 0);
    }

    /// Lets one call of an operation fail: the `call`-th from now on, counted from 1.
    void fail(String operation, int call) {
        failing.put(operation, calls(operation) + call);
    }

    /// Holds the thread that calls an operation next, before the operation.
    Hold hold(String operation) {
        Hold hold = new Hold(operation);
        next = hold;
        return hold;
    }

    static final class Hold {
        private final String operation;
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);

        Hold(String operation) {
            this.operation = operation;
        }

        /// Waits until a thread is held.
        void awaitReached() throws InterruptedException {
            reached.await();
        }

        void release() {
            released.countDown();
        }

        private void stop() throws InterruptedException {
            reached.countDown();
            released.await();
        }
    }

    private <T> T watched(Class<T> type, T target) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    int call = calls.merge(method.getName(), 1, Integer::sum);
                    if (failing.getOrDefault(method.getName(), 0) == call) {
                        throw new IllegalStateException("call " + call + " of " + method.getName() + " failed");
                    }
                    Hold hold = next;
                    if (hold != null && hold.operation.equals(method.getName())) {
                        next = null;
                        hold.stop();
                    }
                    try {
                        return method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @Override
    public Operations operations() {
        return watched;
    }
}
