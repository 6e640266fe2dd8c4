package io.shadowkv.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// One instance of a kernel, compiled by `nvcc` for some architectures. Used by one thread at a
/// time.
final class KernelCheck {
    private static final Pattern FRAME =
            Pattern.compile("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");

    private final Path compiler;
    private final Path kernels;
    private final String name;
    private final List<String> constants;
    private final List<String> architectures;
    private final List<String> failures = new ArrayList<>();
    private boolean hasCompiled;

    /// @param kernels folder of sources and headers
    /// @param constants macros, each `NAME=value`
    /// @param architectures as `nvcc` names them, such as `sm_90a`
    KernelCheck(Path compiler, Path kernels, String name, List<String> constants, List<String> architectures) {
        this.compiler = compiler;
        this.kernels = kernels;
        this.name = name;
        this.constants = constants;
        this.architectures = architectures;
    }

    /// The failures that [#run] found, each with the instance's name.
    List<String> failures() {
        return failures;
    }

    /// False if the same sources have passed before.
    boolean hasCompiled() {
        return hasCompiled;
    }

    /// @param remembered folder with an empty file for each instance that passed; its name is the
    ///     instance's hash
    KernelCheck run(Path remembered) throws IOException, InterruptedException {
        Path passed = remembered.resolve(hash());
        if (Files.exists(passed)) {
            return this;
        }
        hasCompiled = true;
        judge(compile(remembered));
        if (failures.isEmpty()) {
            Files.write(passed, new byte[0]);
        }
        return this;
    }

    private List<String> compile(Path folder) throws IOException, InterruptedException {
        Path output = Files.createTempFile(folder.toAbsolutePath(), "kernel-", ".fatbin");
        List<String> command = new ArrayList<>(List.of(compiler.toString(), "-fatbin", "-std=c++17", "-Xptxas", "-v"));
        for (String architecture : architectures) {
            command.add("-gencode");
            command.add("arch=" + architecture.replace("sm", "compute") + ",code=" + architecture);
        }
        constants.forEach(constant -> command.add("-D" + constant));
        command.addAll(List.of("-o", output.toString(), name));
        try {
            Process process = new ProcessBuilder(command)
                    .directory(kernels.toFile())
                    .redirectErrorStream(true)
                    .start();
            List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            if (process.waitFor() != 0) {
                fail("does not compile:\n" + String.join("\n", lines));
            }
            return lines;
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private void judge(List<String> lines) {
        String entry = "";
        for (String line : lines) {
            entry = line.contains("Compiling entry function") ? line : entry;
            Matcher frame = FRAME.matcher(line);
            boolean isSpilling = frame.find()
                    && (!frame.group(1).equals("0")
                            || !frame.group(2).equals("0")
                            || !frame.group(3).equals("0"));
            // Warnings, and the information that wgmma instructions are serialised.
            boolean isWarning = line.startsWith("ptxas") && line.contains("warning");
            if (isSpilling || isWarning || line.contains("Potential Performance Loss")) {
                fail(line.strip() + " (" + entry.strip() + ")");
            }
        }
    }

    private void fail(String what) {
        failures.add(name + " with " + constants + ": " + what);
    }

    private String hash() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((compiler.toRealPath() + name + constants + architectures).getBytes(StandardCharsets.UTF_8));
            digest.update(Files.readAllBytes(kernels.resolve(name)));
            try (Stream<Path> files = Files.list(kernels)) {
                List<Path> headers = files.filter(file -> file.toString().endsWith(".cuh"))
                        .sorted()
                        .toList();
                for (Path header : headers) {
                    digest.update(Files.readAllBytes(header));
                }
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
