package io.shadowkv.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// The processor time of the measuring thread. On a shared machine the speed of one thread is its
/// work per processor time, not per elapsed time.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class ProcessorTime {
    /// JMH reports it per second of elapsed time.
    public long processorNanos;

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private long before;

    void start() {
        before = threads.getCurrentThreadCpuTime();
    }

    void stop() {
        processorNanos += threads.getCurrentThreadCpuTime() - before;
    }
}
