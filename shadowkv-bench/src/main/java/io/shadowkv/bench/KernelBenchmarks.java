package io.shadowkv.bench;

import io.shadowkv.bench.Kernel.Unit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.util.Statistics;

/// Measures kernels of the CPU backend and the ceilings of the machine in one run. Prints a table
/// and appends JSON lines.
///
/// Arguments: the file for the lines (`-` for none), then the names of [Kernel]s (none means all).
public final class KernelBenchmarks {
    private static final String[] JVM_ARGUMENTS = {"--add-modules", "jdk.incubator.vector", "-Xmx4g"};
    private static final String[] THREADS = {"1", "2"};
    private static final double GIGA = 1e9;

    private final Map<String, Double> ceilings = new LinkedHashMap<>();
    private final BenchmarkLog log;

    private KernelBenchmarks(BenchmarkLog log) {
        this.log = log;
    }

    public static void main(String[] arguments) throws RunnerException, IOException {
        String file = arguments.length == 0 ? "-" : arguments[0];
        String[] kernels = arguments.length > 1
                ? Arrays.copyOfRange(arguments, 1, arguments.length)
                : Arrays.stream(Kernel.values()).map(Kernel::name).toArray(String[]::new);
        var benchmarks = new KernelBenchmarks(new BenchmarkLog(file.equals("-") ? null : Path.of(file)));
        for (String threads : THREADS) {
            benchmarks.measureCeilings(Integer.parseInt(threads));
        }
        benchmarks.measure(kernels);
    }

    private static ChainedOptionsBuilder options(Class<?> benchmark) {
        return new OptionsBuilder()
                .include(benchmark.getName())
                .jvmArgsAppend(JVM_ARGUMENTS)
                .mode(Mode.Throughput)
                .forks(1)
                .warmupIterations(4)
                .warmupTime(TimeValue.milliseconds(700))
                .measurementIterations(7)
                .measurementTime(TimeValue.milliseconds(500));
    }

    private void measureCeilings(int threads) throws RunnerException, IOException {
        Collection<RunResult> results =
                new Runner(options(CeilingBenchmark.class).threads(threads).build()).run();
        for (RunResult result : results) {
            boolean reads = result.getPrimaryResult().getLabel().startsWith("read");
            double work = reads ? CeilingBenchmark.READ_BYTES : CeilingBenchmark.flopsPerRun();
            Unit unit = reads ? Unit.BYTE : Unit.FLOP;
            var measured = measurement(unit, work, result, threads, Double.NaN);
            ceilings.put(unit + "/" + threads, measured.rate());
            log.append("CEILING_" + unit, threads, 0, measured);
        }
    }

    private void measure(String[] kernels) throws RunnerException, IOException {
        Collection<RunResult> results = new Runner(options(KernelBenchmark.class)
                        .param("kernel", kernels)
                        .param("threads", THREADS)
                        .build())
                .run();
        for (RunResult result : results) {
            Kernel kernel = Kernel.valueOf(result.getParams().getParam("kernel"));
            int threads = Integer.parseInt(result.getParams().getParam("threads"));
            int vectorBits = Integer.parseInt(result.getParams().getParam("vectorBits"));
            double ceiling = ceilings.getOrDefault(kernel.unit() + "/" + threads, Double.NaN);
            log.append(
                    kernel.name(),
                    threads,
                    vectorBits,
                    measurement(kernel.unit(), kernel.work(), result, threads, ceiling));
        }
    }

    /// One thread is measured by its processor time, several by the clock, which the load of other
    /// programs affects.
    private static BenchmarkLog.Measurement measurement(
            Unit unit, double work, RunResult result, int threads, double ceiling) {
        Statistics rates = result.getPrimaryResult().getStatistics();
        double processorNanos = Objects.requireNonNull(
                        result.getSecondaryResults().get("processorNanos"), "processorNanos")
                .getStatistics()
                .getPercentile(50);
        double busy = threads == 1 ? processorNanos / GIGA : 1;
        double median = rates.getPercentile(50);
        double rate = median * work / GIGA / busy;
        return new BenchmarkLog.Measurement(
                unit,
                1e3 / median,
                median * work / GIGA,
                rates.getMin() * work / GIGA,
                rates.getMax() * work / GIGA,
                rate,
                rate / ceiling);
    }
}
