package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Tests the launcher script and its program with standard streams that are closed, full, or not
/// read.
///
/// Answers come from the reference backend, and only the first compiler runs: a JVM that reads two
/// tokens with vectors spends most of its time in the second one.
@Order(1)
class StandardStreamsTest {
    private static final String UNUSABLE = "Bad file descriptor";

    @TempDir
    Path temporary;

    private Path fifos;

    private record Result(int code, String out, String err) {}

    /// A checkout without sources whose JDK starts the classes of this test instead of a built jar.
    @BeforeEach
    void makeCheckout() throws IOException {
        Path root = Files.createDirectories(temporary.resolve("checkout"));
        fifos = Files.createDirectories(temporary.resolve("fifos"));
        Files.copy(Fixtures.repository().resolve("shadowkv"), root.resolve("shadowkv"));
        Files.setPosixFilePermissions(root.resolve("shadowkv"), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createSymbolicLink(root.resolve("models"), Fixtures.repository().resolve("models"));
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        for (String module : new String[] {"text", "core", "hub", "cpu", "cuda", "report", "eval", "server", "cli"}) {
            Files.writeString(
                    Files.createDirectories(root.resolve("shadowkv-" + module)).resolve("pom.xml"), "<project/>");
        }
        Files.createDirectories(root.resolve("shadowkv-cli/target"));
        Files.writeString(root.resolve("shadowkv-cli/target/launcher.stamp"), "");
        Path jdk = temporary.resolve("jdk");
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        program(jdk.resolve("bin/javac"), "exit 1\n");
        program(jdk.resolve("bin/java"), """
                kept=
                while [ "$1" != -p ]; do
                    case $1 in -Dshadowkv.*) kept="$kept $1" ;; esac
                    shift
                done
                shift 4
                exec '%s' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
                    -cp '%s' $kept io.shadowkv.cli.Main "$@"
                """.formatted(
                        ProcessHandle.current().info().command().orElseThrow(), System.getProperty("java.class.path")));
    }

    private static void program(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /// Runs a shell command in which `shadowkv` is the launcher. Standard input is empty unless the
    /// command redirects it.
    private Result run(String line) throws IOException, InterruptedException {
        Path out = temporary.resolve("out");
        Path err = temporary.resolve("err");
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", line)
                .directory(temporary.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("PATH", temporary.resolve("checkout") + ":/usr/bin:/bin");
        builder.environment().put("JAVA_HOME", temporary.resolve("jdk").toString());
        builder.environment().put("TMPDIR", fifos.toString());
        builder.environment().remove("SHADOWKV_JAVA_OPTIONS");
        Process process = builder.start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /// The launcher's filter ends with the program, and its pipe is deleted.
    @AfterEach
    void nothingIsLeftBehind() throws InterruptedException {
        assertThat(Shell.names(fifos)).isEmpty();
        for (int i = 0; i < 250 && !launchers().isEmpty(); i++) {
            Thread.sleep(20);
        }
        assertThat(launchers()).isEmpty();
    }

    private List<String> launchers() {
        String checkout = temporary.resolve("checkout").toString();
        return ProcessHandle.allProcesses()
                .flatMap(process -> process.info().commandLine().stream())
                .filter(line -> line.contains(checkout))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "2>&-", "<&-", "<&- 2>&-", "3< checkout/pom.xml 4>&- 2>&-"})
    void whatIsNotNeededMayBeClosed(String closed) throws Exception {
        Result result = run("shadowkv tokenize needle-32k hello --ids " + closed);
        assertThat(result.out()).matches("\\[[\\d, ]+]\n");
        assertThat(result.err()).isEmpty();
        assertThat(result.code()).isZero();
    }

    @Test
    void anAnswerNeedsNoStandardError() throws Exception {
        Result result = run("shadowkv run needle-32k hello -n 3 --ignore-eos --backend reference 2>&-");
        assertThat(result.out()).isNotEmpty().isBlank();
        assertThat(result.err()).isEmpty();
        assertThat(result.code()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "<&-"})
    void closedStandardOutputIsAFailure(String closed) throws Exception {
        Result result = run("shadowkv --version >&- " + closed);
        assertThat(result.err()).startsWith("shadowkv: standard output cannot be written: " + UNUSABLE);
        assertThat(result.code()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {">&- 2>&-", "<&- >&- 2>&-"})
    void withNobodyToTellTheCodeSaysIt(String closed) throws Exception {
        assertThat(run("shadowkv tokenize needle-32k hello " + closed)).isEqualTo(new Result(1, "", ""));
    }

    @Test
    void closedStandardInputIsNoEmptyText() throws Exception {
        Result result = run("shadowkv tokenize needle-32k <&-");
        assertThat(result.err())
                .startsWith("shadowkv: standard input cannot be read: " + UNUSABLE)
                .contains("--file FILE");
        assertThat(result.out()).isEmpty();
        assertThat(result.code()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "tokenize needle-32k hello", "run needle-32k hello -n 2 --backend reference"})
    void aFullDiskIsAFailure(String command) throws Exception {
        Result result = run("shadowkv " + command + " > /dev/full");
        assertThat(result.err()).contains("shadowkv: standard output cannot be written: No space left on device");
        assertThat(result.code()).isEqualTo(1);
    }

    /// Generating 20,000 tokens would take longer than [#run] waits.
    @Test
    void generationStopsWhenTheReaderIsGone() throws Exception {
        Result result =
                run("{ shadowkv run needle-32k hello -n 20000 --ignore-eos --backend reference; echo code $? >&2; }"
                        + " | head -c 3");
        assertThat(result.out()).hasSize(3);
        assertThat(result.err())
                .contains("shadowkv: standard output cannot be written: Broken pipe")
                .endsWith("code 1\n");
    }

    @Test
    void messagesMayGetLost() throws Exception {
        Result result = run("shadowkv tokenize needle-32k hello --ids 2> /dev/full");
        assertThat(result.out()).startsWith("[");
        assertThat(result.code()).isZero();
    }

    @Test
    void theCallersDescriptorsStayHis() throws Exception {
        Path text = Files.writeString(temporary.resolve("text"), "hello");
        String expected = run("shadowkv tokenize needle-32k hello --ids").out();
        Result result = run("exec 3< text; shadowkv tokenize needle-32k --ids --file /dev/fd/3");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).isEqualTo(expected);
        assertThat(text).hasContent("hello");
    }

    @Test
    void nothingIsColouredThatGoesToAFile() throws Exception {
        for (String command : new String[] {
            "--help", "run --help", "bogus", "run needle-32k hello -n 2 --progress --backend reference"
        }) {
            Result result = run("shadowkv " + command);
            assertThat(result.out() + result.err()).as(command).doesNotContain("\u001b");
        }
    }
}
