package io.shadowkv.cuda.device;

import io.shadowkv.cuda.device.CudaQueue.Lane;
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

/// Steps recorded as CUDA graphs. A recording keeps the scopes whose memory it uses, and ends when
/// one of them is closed. It also keeps the slot tables that it reads, and brings them up to date
/// before each replay.
///
/// Used by the main queue's thread. Any thread may close a scope.
public final class Recordings {
    private final CudaContext context;
    private final Map<Key, Recording> recordings = new HashMap<>();
    private @Nullable Recording current;
    private @Nullable Thread recorder;

    Recordings(CudaContext context) {
        this.context = context;
    }

    /// Replays the work that a step with an equal key enqueued. The first step with a key is run
    /// directly, so that kernels are compiled and algorithms are chosen; the second one is
    /// recorded.
    ///
    /// A step is recorded for each part of the device that it runs on.
    public synchronized void replay(Object name, Runnable step) {
        Key key = new Key(name, context.mainQueue().lane());
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

    /// Ends a failed capture, so that the queue can be used again.
    private void abandon(long stream, RuntimeException cause) {
        try {
            driver().cuStreamEndCapture(stream);
        } catch (CudaException e) {
            // The capture is invalid, and may have ended already.
            cause.addSuppressed(e);
        }
    }

    /// True while the launches of the calling thread are recorded. It must not wait or allocate
    /// then.
    public boolean isRecording() {
        return recorder == Thread.currentThread();
    }

    /// Notes that the current recording uses memory of `scope`.
    void uses(CudaScope scope) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.scopes.add(scope);
        }
    }

    /// Notes that the current recording reads a slot table.
    public void reads(Refreshable mirror) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.mirrors.add(mirror);
        }
    }

    /// Notes that the current recording may be replayed only while `condition` is true. Once it is
    /// false, the step is run and recorded again.
    public void replayOnlyWhile(BooleanSupplier condition) {
        Recording recording = current;
        if (recording != null && isRecording()) {
            recording.conditions.add(condition);
        }
    }

    /// Ends the recordings that use memory of a scope, before the memory is freed.
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

    /// @param name of the step
    /// @param lane that the recorded kernels run on
    private record Key(Object name, Lane lane) {}

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

    /// A copy in device memory that a recorded step reads. Each replay brings it up to date first.
    public interface Refreshable {
        /// Copies the changes since the last call.
        void refresh();
    }
}
