package io.shadowkv.cli.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The machine on which something was measured.
///
/// @param processor name of the processor, as the operating system gives it
/// @param cores number of cores that the JVM may use
/// @param system operating system and architecture
/// @param java version and vendor
/// @param commit commit of the sources, or `unknown`
/// @param isChanged true if files differ from the commit, except those that benchmarks write
public record Machine(String processor, int cores, String system, String java, String commit, boolean isChanged) {
    private static final long PATIENCE_SECONDS = 5;
    private static final String CHANGED = " (changed)";

    /// Describes this machine. The commit is that of the installation, or the value of
    /// `SHADOWKV_COMMIT` if the sources were copied without their history; `(changed)` after it
    /// marks sources that differ.
    public static Machine here(Surroundings surroundings) {
        String commit = surroundings
                .variable("SHADOWKV_COMMIT")
                .or(() -> surroundings.home().flatMap(Machine::readCommit))
                .orElse("unknown");
        boolean isChanged = commit.endsWith(CHANGED);
        return new Machine(
                readProcessor(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Runtime.version() + ", " + System.getProperty("java.vm.vendor"),
                isChanged ? commit.substring(0, commit.length() - CHANGED.length()) : commit,
                isChanged);
    }

    /// The commit for output, with a mark if sources differ.
    public String commitText() {
        return isChanged ? commit + CHANGED : commit;
    }

    private static String readProcessor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown processor");
        } catch (IOException e) {
            return "unknown processor";
        }
    }

    private static Optional<String> readCommit(Path home) {
        if (!Files.exists(home.resolve(".git"))) {
            return Optional.empty();
        }
        return git(home, "rev-parse", "--short=12", "HEAD").map(hash -> {
            boolean isChanged = !git(home, "status", "--porcelain", "--untracked-files=no", "--", ":!docs/bench")
                    .orElse("")
                    .isEmpty();
            return isChanged ? hash + CHANGED : hash;
        });
    }

    private static Optional<String> git(Path home, String... arguments) {
        String[] command = Stream.concat(Stream.of("git", "-C", home.toString()), Stream.of(arguments))
                .toArray(String[]::new);
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            boolean hasEnded = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return hasEnded && process.exitValue() == 0 ? Optional.of(output) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
