package io.shadowkv.engine.laws;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.MemoryRates;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.ForwardingBackend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A host backend that takes every liberty a device may take: waves are padded to multiples of four, a step that was
/// met before is replayed call by call without being run, work of the side queue happens as late as it may, and
/// both places are memories of their own. While the device is divided, prompts are read as late as they may be.
///
/// Fails where a recorded step would not be what a device can record: host access or allocation inside it.
final class DeviceLikeBackend extends ForwardingBackend {
    private static final int BUCKET = 4;

    /// How often a caller finds work on the side queue under way.
    static final int LOOKS = 3;

    private final Operations recorded;
    private final Map<Object, List<Call>> recordings = new HashMap<>();
    private final Deque<SideWork> pending = new ArrayDeque<>();
    private boolean isDivided;
    private int readings;
    private @Nullable List<Call> recording;
    private int replays;

    DeviceLikeBackend(Backend backend) {
        super(backend);
        DenseOperations dense =
                proxy(DenseOperations.class, backend.operations().dense());
        AttentionOperations attention =
                proxy(AttentionOperations.class, backend.operations().attention());
        ShadowOperations shadow =
                proxy(ShadowOperations.class, backend.operations().shadow());
        SamplingOperations sampling =
                proxy(SamplingOperations.class, backend.operations().sampling());
        this.recorded = new Operations() {
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

    /// Steps replayed so far.
    int replays() {
        return replays;
    }

    private record Call(Object target, Method method, Object[] arguments) {
        Object run() throws ReflectiveOperationException {
            return method.invoke(target, arguments);
        }
    }

    private <T> T proxy(Class<T> type, T target) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    Call call = new Call(target, method, arguments);
                    if (recording != null) {
                        recording.add(call);
                    }
                    return invoke(call);
                }));
    }

    private static Object invoke(Call call) throws Throwable {
        try {
            return call.run();
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Override
    public Operations operations() {
        return recorded;
    }

    @Override
    public int rowBucket(int rows) {
        return Math.ceilDiv(rows, BUCKET) * BUCKET;
    }

    @Override
    public void replay(Object key, Runnable step) {
        List<Call> known = recordings.get(key);
        if (known == null) {
            List<Call> calls = new ArrayList<>();
            recording = calls;
            try {
                step.run();
            } finally {
                recording = null;
            }
            recordings.put(key, calls);
            return;
        }
        replays++;
        for (Call call : known) {
            try {
                invoke(call);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }

    /// A link as slow as a device's, so that microbatches alternate where they are large enough.
    @Override
    public MemoryRates rates() {
        return new MemoryRates(80, 1);
    }

    @Override
    public boolean hasSideQueue() {
        return true;
    }

    /// Late work finds its inputs changed if its caller did not wait for its end.
    @Override
    public Ticket aside(Runnable work) {
        SideWork late = new SideWork(work);
        pending.add(late);
        return new Ticket() {
            private int looks;

            /// The work is under way while a caller looks a few times.
            @Override
            public boolean isDone() {
                if (++looks > LOOKS) {
                    runUntilDone();
                }
                return late.done;
            }

            private void runUntilDone() {
                while (!late.done) {
                    pending.remove().run();
                }
            }

            @Override
            public void join() {
                runUntilDone();
                late.handOn();
            }
        };
    }

    @Override
    public boolean isDivisible() {
        return true;
    }

    @Override
    public void divide(double readingShare) {
        isDivided = readingShare > 0;
    }

    /// Pieces of work of the reading queue so far.
    int readings() {
        return readings;
    }

    /// The work runs when it is asked for the second time whether it is done, or at the latest when it must be.
    @Override
    public Ticket enqueueReading(Runnable work) {
        if (!isDivided) {
            throw new AssertionError("work of the reading queue, and the device is not divided");
        }
        readings++;
        SideWork late = new SideWork(work);
        return new Ticket() {
            private int asked;

            @Override
            public boolean isDone() {
                if (++asked >= 2 && !late.done) {
                    late.run();
                }
                return late.done;
            }

            @Override
            public void join() {
                if (!late.done) {
                    late.run();
                }
                late.handOn();
            }
        };
    }

    private static final class SideWork {
        private final Runnable work;
        private boolean done;
        private @Nullable RuntimeException failure;

        SideWork(Runnable work) {
            this.work = work;
        }

        void run() {
            done = true;
            try {
                work.run();
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        void handOn() {
            RuntimeException thrown = failure;
            failure = null;
            if (thrown != null) {
                throw thrown;
            }
        }
    }

    /// A device without kernels for quantised weights.
    @Override
    public @Nullable Weight placeQuantised(Weight host, MemoryScope scope) {
        return null;
    }

    @Override
    public boolean isHostDevice() {
        return false;
    }

    @Override
    public void upload(int[] source, Tensor target) {
        checkNotRecording("an upload");
        super.upload(source, target);
    }

    @Override
    public float[] download(Tensor source) {
        checkNotRecording("a download");
        return super.download(source);
    }

    @Override
    public int[] downloadInts(Tensor source) {
        checkNotRecording("a download");
        return super.downloadInts(source);
    }

    @Override
    public long[] downloadLongs(Tensor source) {
        checkNotRecording("a download");
        return super.downloadLongs(source);
    }

    @Override
    public void synchronize() {
        checkNotRecording("a wait");
        super.synchronize();
    }

    private void checkNotRecording(String what) {
        if (recording != null) {
            throw new AssertionError(what + " inside a step that is recorded");
        }
    }

    /// Memory that is freed ends the recordings: here all of them.
    @Override
    public MemoryScope newScope(String purpose) {
        return watched(super.newScope(purpose));
    }

    @Override
    public MemoryScope newScope(String purpose, long deviceBytes) {
        return watched(super.newScope(purpose, deviceBytes));
    }

    /// Fails where memory is allocated while a step is recorded.
    private MemoryScope watched(MemoryScope scope) {
        return new MemoryScope() {
            @Override
            public Tensor allocate(Place place, DType dtype, int... extents) {
                checkNotRecording("an allocation");
                return scope.allocate(place, dtype, extents);
            }

            @Override
            public long bytes(Place place) {
                return scope.bytes(place);
            }

            @Override
            public void close() {
                recordings.clear();
                scope.close();
            }
        };
    }
}
