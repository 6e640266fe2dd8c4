package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Tests the archive that `dist/build.sh` makes of this build, unpacked into another folder and run
/// without a JDK.
@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "the archive is for Linux on x86-64")
class DistributionIT {
    private static final String QUESTION =
            "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you about"
                    + " the number afterwards.\nThe grass is green. The sky is blue. The sun is yellow. Here we go. There and"
                    + " back again.\nOne of the special magic numbers for early-dawn is: 4071523.\nThe grass is green. The sky"
                    + " is blue. The sun is yellow. Here we go. There and back again.\nWhat is the special magic number for"
                    + " early-dawn mentioned in the provided text?";

    @TempDir
    static Path temporary;

    private static Path home;

    private record Result(int code, String out, String err) {}

    @BeforeAll
    static void unpack() throws IOException, InterruptedException {
        Path out = temporary.resolve("out");
        Result built = run(
                Map.of("JAVA_HOME", System.getProperty("java.home"), "PATH", System.getenv("PATH")),
                Fixtures.repository().resolve("dist/build.sh").toString(),
                "--no-build",
                "--out",
                out.toString());
        assertThat(built.code()).as(built.err()).isZero();
        List<Path> archives = list(out, ".tar.gz");
        assertThat(archives).hasSize(1);
        Path folder = Files.createDirectories(temporary.resolve("another folder"));
        Result unpacked = run(
                Map.of("PATH", "/usr/bin:/bin"),
                "tar",
                "-C",
                folder.toString(),
                "-xzf",
                archives.getFirst().toString());
        assertThat(unpacked.code()).as(unpacked.err()).isZero();
        home = list(folder, "").getFirst();
    }

    private static List<Path> list(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }

    /// Runs a command in a process with these variables only.
    private static Result run(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        Path out = Files.createTempFile(temporary, "out", "");
        Path err = Files.createTempFile(temporary, "err", "");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(temporary.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(180, TimeUnit.SECONDS))
                .as(String.join(" ", command))
                .isTrue();
        return new Result(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    private static Map<String, String> withoutJava(Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(more);
        environment.put("PATH", "/nowhere:/usr/bin:/bin");
        environment.put("HOME", temporary.toString());
        environment.put("JAVA_HOME", "/nowhere");
        return environment;
    }

    /// Runs the command like a user whose machine has no Java.
    private static String shadowkv(Map<String, String> more, String... arguments)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(home.resolve("bin/shadowkv").toString()));
        command.addAll(List.of(arguments));
        Result result = run(withoutJava(more), command.toArray(String[]::new));
        assertThat(result.code()).as(result.err()).isZero();
        return result.out();
    }

    @Test
    void startsAndAnswersWithoutAJdk() throws IOException, InterruptedException {
        assertThat(shadowkv(Map.of(), "--version")).startsWith("shadowkv ");
        assertThat(shadowkv(Map.of(), "backends")).containsPattern("(?m)^cpu +usable");
        assertThat(shadowkv(Map.of(), "run", "needle-32k", QUESTION)).contains("4071523");
    }

    @Test
    void serves() throws Exception {
        Path errors = temporary.resolve("serve-errors");
        ProcessBuilder builder = new ProcessBuilder(home.resolve("bin/shadowkv").toString(), "serve", "--port", "0")
                .directory(temporary.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectError(errors.toFile());
        builder.environment().clear();
        builder.environment().putAll(withoutJava(Map.of()));
        Process server = builder.start();
        try {
            String line = server.inputReader().readLine();
            assertThat(line).as(Files.readString(errors)).startsWith("serving needle-32k at http://127.0.0.1:");
            String address = line.replaceFirst("serving needle-32k at (http://[^/]+)/.*", "$1");
            Result models = run(Map.of("PATH", "/usr/bin:/bin"), "curl", "--silent", address + "/v1/models");
            assertThat(models.out()).contains("\"id\":\"needle-32k\"");
        } finally {
            server.destroy();
            server.waitFor();
        }
        assertThat(Files.readString(errors)).contains("GET /v1/models 200", "ending: no further requests");
    }

    /// A jar with an evaluation suite that the code here does not know.
    @Test
    void asksTheTasksOfAnotherJar() throws IOException, InterruptedException {
        Path folder = Files.createDirectories(temporary.resolve("my tasks"));
        Path source = Files.writeString(folder.resolve("MySuite.java"), """
                package mine;
                import io.shadowkv.eval.*;
                import java.util.List;
                public class MySuite implements Suite {
                    public String name() { return "mine"; }
                    public List<String> tasks() { return List.of("first"); }
                    public EvalTask open(String task, TaskContext context) { throw new IllegalArgumentException(task); }
                }
                """);
        Path info = Files.writeString(
                folder.resolve("module-info.java"),
                "module mine { requires io.shadowkv.eval; provides io.shadowkv.eval.Suite with mine.MySuite; }");
        Path classes = folder.resolve("classes");
        int compiled = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "-p",
                        home.resolve("lib").toString(),
                        "-d",
                        classes.toString(),
                        info.toString(),
                        source.toString());
        assertThat(compiled).isZero();
        assertThat(shadowkv(Map.of("SHADOWKV_MODULE_PATH", classes.toString()), "tasks"))
                .contains("mine: no description\nmine/first\n", "ruler/vt\n");
    }

    /// There is one licence for all files: files have no header, and every jar contains the texts.
    @Test
    void eachJarOfOursCarriesTheLicence() throws IOException {
        List<Path> ours = list(home.resolve("lib"), ".jar").stream()
                .filter(jar -> jar.getFileName().toString().startsWith("shadowkv-"))
                .toList();
        assertThat(ours).hasSizeGreaterThan(4);
        for (String name : List.of("LICENSE", "NOTICE")) {
            String expected = Files.readString(Fixtures.repository().resolve(name));
            assertThat(home.resolve(name)).hasContent(expected);
            for (Path jar : ours) {
                try (JarFile file = new JarFile(jar.toFile())) {
                    assertThat(file.getJarEntry("META-INF/" + name))
                            .as("%s in %s", name, jar)
                            .isNotNull();
                    assertThat(file.getInputStream(file.getJarEntry("META-INF/" + name)))
                            .as("%s in %s", name, jar)
                            .hasContent(expected);
                }
            }
        }
        assertThat(home.resolve("runtime/legal/java.base")).isDirectory();
    }

    /// A library that is not listed here needs an entry in NOTICE and in docs/DEPENDENCIES.md
    /// before it is shipped.
    @Test
    void everyLibraryOfOthersStandsInTheNotice() throws IOException {
        assertThat(list(home.resolve("lib"), ".jar").stream()
                        .map(jar -> jar.getFileName().toString().replaceFirst("-[0-9].*", ""))
                        .filter(name -> !name.startsWith("shadowkv-")))
                .containsExactlyInAnyOrder(
                        "api",
                        "error_prone_annotations",
                        "gson",
                        "jackson-annotations",
                        "jackson-core",
                        "jackson-databind",
                        "jieba-analysis",
                        "jna",
                        "picocli",
                        "prometheus-metrics-config",
                        "prometheus-metrics-core",
                        "prometheus-metrics-exposition-textformats",
                        "prometheus-metrics-model",
                        "prometheus-metrics-tracer-common",
                        "prometheus-metrics-tracer-initializer",
                        "prometheus-metrics-tracer-otel",
                        "prometheus-metrics-tracer-otel-agent",
                        "slf4j-api",
                        "tokenizers");
    }
}
