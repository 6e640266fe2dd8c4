package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Compiles every kernel and fails on errors, spilled registers and stack frames. A kernel's header
/// lists its instances (`// check: NAME=value …`), the usual one first: that one is compiled for
/// Hopper, the last one for Ampere, or the only one for both. With the property `kernels.all`, which the profile
/// `release` sets, every
/// instance is compiled for both. On a machine without `nvcc` the test counts as skipped and prints
/// what was not compiled.
///
/// Compiling all instances takes minutes. A file below `target` remembers each instance that
/// passed, by the hash of its sources.
class KernelCompilationTest {
    private static final String CHECK = "// check:";
    private static final List<String> AMPERE = List.of("sm_80");
    private static final List<String> HOPPER = List.of("sm_90a");
    private static final List<String> AMPERE_AND_HOPPER = List.of("sm_80", "sm_90a");
    private static final boolean ALL = Boolean.getBoolean("kernels.all");
    private static final Path REMEMBERED = Path.of("target", "kernel-checks");
    /// More processes would slow down other builds on the machine.
    private static final int PROCESSES = 2;

    private final Path kernels = kernelFolder();

    private static Path kernelFolder() {
        URL folder = KernelCompilationTest.class.getResource("kernels/types.cuh");
        if (folder == null) {
            throw new AssertionError("there is no resource kernels/types.cuh");
        }
        try {
            return Path.of(folder.toURI()).getParent();
        } catch (URISyntaxException e) {
            throw new AssertionError(folder + " is not a path", e);
        }
    }

    @Test
    void everyKernelSaysWhichInstancesToCheck() throws IOException {
        for (String name : names(".cu")) {
            assertThat(checks(name)).as("lines \"%s\" of %s", CHECK, name).isNotEmpty();
        }
    }

    @Test
    void everyInstanceCompilesWithoutSpilling() throws IOException, InterruptedException, ExecutionException {
        Optional<Path> compiler = compiler();
        if (compiler.isEmpty()) {
            int instances = 0;
            for (String name : names(".cu")) {
                instances += checks(name).size();
            }
            String skipped = "shadowkv-cuda: %d kernel instances were not compiled: there is no nvcc on PATH"
                    .formatted(instances);
            System.out.println(skipped);
            abort(skipped);
        }
        Files.createDirectories(REMEMBERED);
        List<Future<KernelCheck>> running = new ArrayList<>();
        int forAmpere = 0;
        int forHopper = 0;
        int listed = 0;
        try (ExecutorService processes = Executors.newFixedThreadPool(PROCESSES)) {
            for (String name : names(".cu")) {
                List<List<String>> all = checks(name);
                listed += all.size();
                for (int i = 0; i < all.size(); i++) {
                    List<String> architectures = architectures(i, all.size());
                    if (!architectures.isEmpty()) {
                        var check = new KernelCheck(compiler.get(), kernels, name, all.get(i), architectures);
                        running.add(processes.submit(() -> check.run(REMEMBERED)));
                        forHopper += architectures.contains("sm_90a") ? 1 : 0;
                        forAmpere += architectures.contains("sm_80") ? 1 : 0;
                    }
                }
            }
        }
        List<String> failures = new ArrayList<>();
        int compiled = 0;
        for (Future<KernelCheck> future : running) {
            failures.addAll(future.get().failures());
            compiled += future.get().hasCompiled() ? 1 : 0;
        }
        System.out.printf(
                "shadowkv-cuda: of %d kernel instances %d checked for sm_90a and %d for sm_80, %d compiled now%n",
                listed, forHopper, forAmpere, compiled);
        assertThat(failures)
                .as("kernels that do not compile, or spill:%n%s", String.join("\n", failures))
                .isEmpty();
    }

    /// What instance `index` of `count` is compiled for.
    private static List<String> architectures(int index, int count) {
        if (ALL || count == 1) {
            return AMPERE_AND_HOPPER;
        }
        return index == 0 ? HOPPER : index == count - 1 ? AMPERE : List.of();
    }

    /// Constants of each instance that a header lists.
    private List<List<String>> checks(String name) throws IOException {
        return Files.readString(kernels.resolve(name), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith(CHECK))
                .map(line -> Arrays.stream(line.substring(CHECK.length()).trim().split("\\s+"))
                        .filter(constant -> !constant.isEmpty())
                        .toList())
                .toList();
    }

    private List<String> names(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(kernels)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(suffix))
                    .sorted()
                    .toList();
        }
    }

    private static Optional<Path> compiler() {
        String path = System.getenv().getOrDefault("PATH", "");
        return Arrays.stream(path.split(File.pathSeparator))
                .map(folder -> Path.of(folder, "nvcc"))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
