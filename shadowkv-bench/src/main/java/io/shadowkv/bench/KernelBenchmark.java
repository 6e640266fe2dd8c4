package io.shadowkv.bench;

import io.shadowkv.cpu.CpuBackendProvider;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Measures one operation of the CPU backend on operands of the sizes of real models.
@State(Scope.Benchmark)
public class KernelBenchmark {
    @Param
    public Kernel kernel = Kernel.GEMM_BF16;

    @Param({"1", "2"})
    public int threads;

    @Param("0")
    public int vectorBits;

    private final Backend[] backend = new Backend[1];
    private final MemoryScope[] scope = new MemoryScope[1];
    private Runnable run = () -> {};

    @Setup
    public void open() {
        backend[0] = new CpuBackendProvider().open(new BackendOptions(threads, vectorBits));
        scope[0] = backend[0].newScope("benchmark");
        run = kernel.prepare(new Operands(backend[0], scope[0]));
    }

    @TearDown
    public void close() {
        scope[0].close();
        backend[0].close();
    }

    @Benchmark
    public void run(ProcessorTime time) {
        time.start();
        run.run();
        time.stop();
    }
}
