package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Driver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Steps recorded as CUDA graphs. A recording knows the scopes whose memory it uses, and ends when one of them is
/// closed; and the slot tables that it reads through, which are brought up to date before each replay.
///
/// Used by the main queue's thread; scopes may be closed by any thread.
public final class Recordings {
    private final CudaContext context;
    private final Map<Object, Recording> recordings = new HashMap<>();
    private @Nullable Recording current;
    private @Nullable Thread recorder;

    Recordings(CudaContext context) {
        this.context = context;
    }

    /// Replays what `step` enqueued under an equal key; without one, runs the step as it is the first time (so that
    /// kernels are compiled and algorithms chosen), records it the second time.
    public synchronized void replay(Object key, Runnable step) {
        Recording recording = recordings.get(key);
        if (recording != null && !recording.isValid()) {
            recording.close(driver());
            recording = null;
        }
        if (recording == null) {
            recordings.put(key, new Recording());
            step.run();
            return;
        }
        if (recording.executable == 0) {
            record(recording, step);
        }
        recording.mirrors.forEach(Refreshable::refresh);
        driver().cuGraphLaunch(recording.executable, context.mainQueue().stream());
    }

    private void record(Recording recording, Runnable step) {
        long stream = context.mainQueue().stream();
        context.makeCurrent();
        current = recording;
        recorder = Thread.currentThread();
        try {
            driver().cuStreamBeginCapture(stream);
            context.mainQueue().begin();
            step.run();
            long graph = driver().cuStreamEndCapture(stream);
            recording.executable = driver().cuGraphInstantiate(graph);
            driver().cuGraphDestroy(graph);
        } catch (RuntimeException e) {
            abandon(stream, e);
            throw e;
        } finally {
            current = null;
            recorder = null;
        }
    }

    /// Ends a capture that went wrong, so that the queue can be used again.
    private void abandon(long stream, RuntimeException cause) {
        try {
            driver().cuStreamEndCapture(stream);
        } catch (CudaException e) {
            // That the capture is invalid is known; it may also have ended already.
            cause.addSuppressed(e);
        }
    }

    /// True while the calling thread's launches are recorded: nothing may wait or allocate then.
    public boolean isRecording() {
        return recorder == Thread.currentThread();
    }

    /// Notes that what is being recorded uses memory of `scope`.
    void uses(CudaScope scope) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.scopes.add(scope);
        }
    }

    /// Notes that what is being recorded reads through a slot table.
    public void reads(Refreshable mirror) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.mirrors.add(mirror);
        }
    }

    /// Notes that what is being recorded must not be replayed once `condition` is false: the step is then
    /// run and recorded again.
    public void replayOnlyWhile(BooleanSupplier condition) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.conditions.add(condition);
        }
    }

    /// Ends the recordings that use memory of a scope, before it is freed.
    synchronized void forget(CudaScope scope) {
        for (Iterator<Recording> all = recordings.values().iterator(); all.hasNext(); ) {
            Recording recording = all.next();
            if (recording.scopes.contains(scope)) {
                recording.close(driver());
                all.remove();
            }
        }
    }

    synchronized void close() {
        recordings.values().forEach(recording -> recording.close(driver()));
        recordings.clear();
    }

    private Driver driver() {
        return context.driver();
    }

    private static final class Recording {
        private final Set<CudaScope> scopes = new HashSet<>();
        private final Set<Refreshable> mirrors = new HashSet<>();
        private final List<BooleanSupplier> conditions = new ArrayList<>();
        private long executable;

        boolean isValid() {
            for (BooleanSupplier condition : conditions) {
                if (!condition.getAsBoolean()) {
                    return false;
                }
            }
            return true;
        }

        void close(Driver driver) {
            if (executable != 0) {
                driver.cuGraphExecDestroy(executable);
                executable = 0;
            }
        }
    }

    /// A copy in device memory that a recorded step reads, brought up to date before each replay.
    public interface Refreshable {
        /// Copies what has changed since the last call.
        void refresh();
    }
}
