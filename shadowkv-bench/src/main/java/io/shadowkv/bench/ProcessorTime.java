package io.shadowkv.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Time that the measuring thread was on a processor: on a machine shared with others, what one thread could
/// have done is its work by this time, not by the clock.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class ProcessorTime {
    /// JMH reports it for each second of the clock.
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
