package io.shadowkv.server;

import com.sun.management.UnixOperatingSystemMXBean;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Runs a server and eight clients for a long time and records what grows. Not a test: `dev/soak.sh`
/// starts it.
final class Soak {
    private static final int CLIENTS = 8;
    private static final Duration SAMPLE = Duration.ofSeconds(30);
    private static final long SEED = 20_261_130;

    private final TestServer server;
    private final Path log;
    private final long start = System.nanoTime();
    private final SoakCounts counts = new SoakCounts();

    private Soak(TestServer server, Path log) {
        this.server = server;
        this.log = log;
    }

    /// @param args minutes, the file that gets one JSON line a sample, and the folder of documents
    public static void main(String[] args) throws Exception {
        Duration time = Duration.ofMillis((long) (Double.parseDouble(args[0]) * 60_000));
        EngineOptions engine = EngineOptions.DEFAULT
                .withCache(KvCacheSpec.Shadow.DEFAULT)
                .withMaxBatch(CLIENTS)
                .withKeptPrompts(8);
        ServerOptions options = ServerOptions.DEFAULT.withPort(0).withDocumentFolder(Path.of(args[2]));
        boolean isSound;
        try (TestServer server = TestServer.start(engine, options)) {
            isSound = new Soak(server, Path.of(args[1])).run(time);
        }
        System.exit(isSound ? 0 : 1);
    }

    private boolean run(Duration time) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        List<SoakClient> clients = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            SoakClient client = new SoakClient(server, counts, SEED + i, "soak-" + i);
            clients.add(client);
            threads.add(Thread.ofPlatform().name("client-" + i).start(() -> client.run(isOver)));
        }
        long end = start + time.toNanos();
        while (System.nanoTime() < end) {
            Thread.sleep(Duration.ofNanos(Math.max(1, Math.min(SAMPLE.toNanos(), end - System.nanoTime()))));
            record("running");
        }
        isOver.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        for (SoakClient client : clients) {
            client.clean();
        }
        server.awaitIdle();
        ObjectNode last = record("idle");
        return last.path("errors").intValue() == 0 && server.defects.isEmpty();
    }

    /// Writes a sample. The heap is measured after a collection.
    private ObjectNode record(String state) throws IOException {
        server.access.clear();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        var machine = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        ObjectNode line = JsonMapper.shared().createObjectNode();
        line.put("seconds", Math.round((System.nanoTime() - start) / 1e9));
        line.put("state", state);
        line.put("heap_bytes", runtime.totalMemory() - runtime.freeMemory());
        line.put("resident_kib", residentKib());
        line.put(
                "kv_bytes",
                server.engine.memoryInUse().deviceBytes()
                        + server.engine.memoryInUse().hostBytes());
        line.put("threads", ManagementFactory.getThreadMXBean().getThreadCount());
        line.put("file_handles", machine.getOpenFileDescriptorCount());
        line.put("load", machine.getSystemLoadAverage());
        counts.put(line);
        line.put("defects", server.defects.size());
        server.defects.forEach(Throwable::printStackTrace);
        Files.writeString(log, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        System.out.println(line);
        return line;
    }

    private static long residentKib() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElse(0);
    }
}
