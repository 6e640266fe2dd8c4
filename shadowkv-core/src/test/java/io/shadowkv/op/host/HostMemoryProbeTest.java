package io.shadowkv.op.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMemoryProbeTest {
    @TempDir
    private Path root;

    @Test
    void takesWhatTheSystemCallsAvailable() throws IOException {
        write("proc/meminfo", "MemTotal:       32000 kB\nMemFree:    10 kB\nMemAvailable:   16000 kB\n");

        assertThat(HostMemoryProbe.availableBytes(root)).isEqualTo(16_000L * 1024);
    }

    @Test
    void countsDroppablePagesOfALimitedContainerAsFree() throws IOException {
        write("proc/meminfo", "MemAvailable:   16000 kB\n");
        write("sys/fs/cgroup/memory.max", "1000000\n");
        write("sys/fs/cgroup/memory.current", "900000\n");
        write("sys/fs/cgroup/memory.stat", "anon 5\ninactive_file 300000\nactive_file 7\n");

        assertThat(HostMemoryProbe.availableBytes(root)).isEqualTo(400_000);
    }

    @Test
    void ignoresAContainerWithoutLimit() throws IOException {
        write("proc/meminfo", "MemAvailable:   16000 kB\n");
        write("sys/fs/cgroup/memory.max", "max\n");
        write("sys/fs/cgroup/memory.current", "900000\n");

        assertThat(HostMemoryProbe.availableBytes(root)).isEqualTo(16_000L * 1024);
    }

    @Test
    void asksTheJvmWhereThereIsNoMeminfo() {
        assertThat(HostMemoryProbe.availableBytes(root)).isPositive();
    }

    private void write(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
