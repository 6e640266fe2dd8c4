package io.shadowkv.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/// A standalone master and its workers. Each is a process on this machine with one device, started
/// from the test class path. A folder with links to Spark's own jars is a sufficient distribution.
/// The project's classes and Jackson 3 are not in it; they are submitted with the application.
final class StandaloneCluster implements AutoCloseable {
    private static final String HOST = "127.0.0.1";

    private final Path folder;
    private final Path home;
    private final String master;
    private final List<Path> ours = new ArrayList<>();
    private final List<Process> processes = new ArrayList<>();

    /// @param folder for all files that the cluster writes
    /// @param workers number of workers; the device of worker n is n
    StandaloneCluster(Path folder, int workers) throws IOException, InterruptedException {
        this.folder = folder;
        this.home = Files.createDirectories(folder.resolve("home"));
        layOut();
        int port = freePort();
        master = "spark://" + HOST + ":" + port;
        try {
            start("master", "org.apache.spark.deploy.master.Master", List.of(), "--port", "" + port);
            awaitOpen(port);
            for (int device = 0; device < workers; device++) {
                startWorker(device);
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void layOut() throws IOException {
        Path jars = Files.createDirectories(home.resolve("jars"));
        for (String entry : System.getProperty("java.class.path").split(":")) {
            Path path = Path.of(entry);
            String name = path.getFileName().toString();
            if (Files.isDirectory(path) || name.startsWith("shadowkv-") || entry.contains("/tools/jackson/")) {
                ours.add(path);
            } else if (entry.endsWith(".jar")) {
                Files.createSymbolicLink(jars.resolve(name), path);
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
            return socket.getLocalPort();
        }
    }

    /// Waits for the master's port, because a worker that cannot reach the master waits long before
    /// it tries again.
    private void awaitOpen(int port) throws InterruptedException, IOException {
        while (true) {
            try (var _ = new Socket(HOST, port)) {
                return;
            } catch (IOException e) {
                if (!processes.getFirst().isAlive()) {
                    throw new IllegalStateException("the master has ended:\n" + log("master"), e);
                }
                Thread.sleep(50);
            }
        }
    }

    private void startWorker(int device) throws IOException {
        Path script = Files.writeString(
                folder.resolve("find-device-" + device),
                "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"" + device + "\"]}'\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        start(
                "worker-" + device,
                "org.apache.spark.deploy.worker.Worker",
                List.of(
                        "-Dspark.worker.resource.gpu.amount=1",
                        "-Dspark.worker.resource.gpu.discoveryScript=" + script),
                "--cores",
                "1",
                "--memory",
                "700m",
                "--work-dir",
                folder.resolve("work-" + device).toString(),
                master);
    }

    private void start(String name, String main, List<String> options, String... args) throws IOException {
        List<String> command = new ArrayList<>(options);
        command.addAll(List.of(main, "--host", HOST, "--webui-port", "0"));
        command.addAll(List.of(args));
        processes.add(java(name, command));
    }

    /// Submits a driver program in client mode, as `spark-submit` does, and waits for it to end.
    ///
    /// @param name of its log
    /// @return its exit code
    int submit(String name, Class<?> program, List<String> args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit", "--master", master));
        command.addAll(List.of("--class", program.getName(), "--jars", String.join(",", libraries())));
        command.addAll(List.of("--executor-memory", "512m", "--executor-cores", "1", "--total-executor-cores", "2"));
        for (String conf : List.of(
                "spark.executor.resource.gpu.amount=1",
                "spark.task.resource.gpu.amount=1",
                "spark.executor.extraJavaOptions=-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                "spark.scheduler.minRegisteredResourcesRatio=1.0",
                "spark.ui.enabled=false",
                "spark.driver.host=" + HOST)) {
            command.addAll(List.of("--conf", conf));
        }
        command.add(application().toString());
        command.addAll(args);
        Process driver = java(name, command);
        processes.add(driver);
        if (!driver.waitFor(3, TimeUnit.MINUTES)) {
            throw new IllegalStateException("the driver does not end:\n" + log(name));
        }
        return driver.exitValue();
    }

    private List<String> libraries() {
        return ours.stream()
                .filter(path -> path.toString().endsWith(".jar"))
                .map(Path::toString)
                .toList();
    }

    /// The jar that Maven would package; tests run before that phase.
    private Path application() throws IOException {
        Path jar = folder.resolve("application.jar");
        try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (Path root : ours) {
                if (Files.isDirectory(root) && !root.endsWith("test-classes")) {
                    pack(root, out);
                }
            }
        }
        return jar;
    }

    private static void pack(Path root, JarOutputStream out) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (name.endsWith(".class") && !name.equals("module-info.class")) {
                    out.putNextEntry(new JarEntry(name));
                    Files.copy(file, out);
                }
            }
        }
    }

    private Process java(String name, List<String> command) throws IOException {
        List<String> whole = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx600m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dspark.master.rest.enabled=false",
                "-cp",
                home.resolve("jars") + "/*"));
        whole.addAll(command);
        var builder = new ProcessBuilder(whole)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile());
        builder.environment().put("SPARK_HOME", home.toString());
        builder.environment().put("SPARK_SCALA_VERSION", "2.13");
        builder.environment().put("SPARK_LOCAL_IP", HOST);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return builder.start();
    }

    /// The output of a process: `master`, `worker-0`, or a driver's name.
    String log(String name) {
        try {
            return Files.readString(folder.resolve(name + ".log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> children =
                processes.stream().flatMap(Process::descendants).toList();
        processes.reversed().forEach(Process::destroy);
        for (Process process : processes.reversed()) {
            try {
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        children.forEach(ProcessHandle::destroyForcibly);
        unlink();
    }

    private void unlink() {
        try (Stream<Path> links = Files.list(home.resolve("jars"))) {
            for (Path link : links.toList()) {
                Files.delete(link);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
