package io.shadowkv.bench;

import io.shadowkv.bench.Kernel.Unit;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Prints measurements and appends each as a line of JSON with its conditions: commit, JVM,
/// processor, seed, and the load of the machine, which shows how reliable the clock times are.
final class BenchmarkLog {
    private final @Nullable Path file;
    private final String commit;
    private final boolean dirty;
    private final String processor;

    BenchmarkLog(@Nullable Path file) throws IOException {
        this.file = file;
        commit = command("git", "rev-parse", "--short", "HEAD");
        dirty = !command("git", "status", "--porcelain", "--untracked-files=no", "--", ":!docs/bench")
                .isEmpty();
        processor = processor();
    }

    void append(String name, int threads, int vectorBits, Measurement measured) throws IOException {
        append(name, threads, vectorBits, measured.text(), measured.json());
    }

    /// @param text the measurement as text
    /// @param json the measurement as members of an object
    void append(String name, int threads, int vectorBits, String text, String json) throws IOException {
        System.out.printf(Locale.ROOT, "%-24s %d threads %s%n", name, threads, text);
        if (file == null) {
            return;
        }
        String line = String.format(
                Locale.ROOT,
                "{\"time\":\"%s\",\"commit\":\"%s\",\"dirty\":%b,\"jvm\":\"%s\",\"cpu\":\"%s\",\"kernel\":\"%s\",\"threads\":%d,"
                        + "\"vectorBits\":%d,\"seed\":%d,\"load\":%.1f,%s}%n",
                Instant.now().truncatedTo(ChronoUnit.SECONDS),
                commit,
                dirty,
                Runtime.version(),
                processor,
                name,
                threads,
                vectorBits,
                Operands.SEED,
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                json);
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String command(String... words) throws IOException {
        Process process = new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    /// The name of the processor; known on Linux only.
    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(info)) {
            return "unknown";
        }
        try (Stream<String> lines = Files.lines(info)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .orElse("unknown");
        }
    }

    /// @param millis median time of one run
    /// @param median median rate by the clock in 10⁹ units per second; `least` and `largest` are
    ///     its range over the iterations
    /// @param rate for one thread, the rate by its processor time; otherwise the median
    /// @param share `rate` divided by the ceiling for as many threads; NaN if there is no ceiling
    record Measurement(
            Unit unit, double millis, double median, double least, double largest, double rate, double share) {
        String text() {
            String speed = unit == Unit.RUN
                    ? ""
                    : String.format(
                            Locale.ROOT,
                            ", %.1f G%s/s by the clock (%.1f to %.1f), %.1f",
                            median,
                            unit,
                            least,
                            largest,
                            rate);
            String part =
                    Double.isNaN(share) ? "" : String.format(Locale.ROOT, ", %.0f %% of the ceiling", share * 100);
            return String.format(Locale.ROOT, "%10.3f ms%s%s", millis, speed, part);
        }

        String json() {
            String part = Double.isNaN(share) ? "null" : String.format(Locale.ROOT, "%.3f", share);
            return String.format(
                    Locale.ROOT,
                    "\"unit\":\"G%s/s\",\"millis\":%.4f,\"median\":%.3f,\"least\":%.3f,\"largest\":%.3f,\"rate\":%.3f,\"share\":%s",
                    unit,
                    millis,
                    median,
                    least,
                    largest,
                    rate,
                    part);
        }
    }
}
