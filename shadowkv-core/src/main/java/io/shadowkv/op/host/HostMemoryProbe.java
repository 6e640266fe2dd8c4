package io.shadowkv.op.host;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Host memory that can be allocated without swapping, as reported by the operating system.
/// Stateless.
public final class HostMemoryProbe {
    private static final long KIB = 1024;

    private HostMemoryProbe() {}

    /// Bytes available to new allocations. On Linux this is `MemAvailable` of `/proc/meminfo`, or
    /// what remains of the container's limit if that is less; on other systems it is the free
    /// memory that the JVM reports.
    public static long availableBytes() {
        return availableBytes(Path.of("/"));
    }

    /// @param root folder that holds `proc` and `sys`
    static long availableBytes(Path root) {
        OptionalLong system = number(root.resolve("proc/meminfo"), "MemAvailable:");
        long available = system.isPresent() ? Math.multiplyExact(system.getAsLong(), KIB) : freeBytes();
        return Math.max(0, Math.min(available, containerBytes(root.resolve("sys/fs/cgroup"))));
    }

    /// Bytes that remain of the container's limit; file pages that the kernel can drop count as
    /// free. `MAX_VALUE` if there is no limit.
    private static long containerBytes(Path cgroup) {
        OptionalLong limit = number(cgroup.resolve("memory.max"), "");
        OptionalLong used = number(cgroup.resolve("memory.current"), "");
        if (limit.isEmpty() || used.isEmpty()) {
            return Long.MAX_VALUE;
        }
        long droppable = number(cgroup.resolve("memory.stat"), "inactive_file ").orElse(0);
        return limit.getAsLong() - Math.max(0, used.getAsLong() - droppable);
    }

    private static long freeBytes() {
        return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
                .getFreeMemorySize();
    }

    /// The number after `key` in the first line that starts with it; empty if there is no such
    /// file, line or number.
    private static OptionalLong number(Path file, String key) {
        if (!Files.isReadable(file)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .limit(1)
                    .map(line -> line.substring(key.length()).strip().split(" ")[0])
                    .filter(word -> word.matches("\\d{1,18}"))
                    .mapToLong(Long::parseLong)
                    .findFirst();
        } catch (IOException e) {
            // The kernel may refuse a pseudo-file at any time; the caller then relies on the other numbers.
            return OptionalLong.empty();
        }
    }
}
