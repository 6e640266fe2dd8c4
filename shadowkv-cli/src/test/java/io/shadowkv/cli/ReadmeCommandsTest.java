package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs the commands of the README's section "Commands" as they are written, in its order.
///
/// `ORG/NAME` and `./model` are the bundled model with a longer context. The launcher is replaced by
/// a script that gives its words to [CommandLoop]: the JVM compiles the vector code for the first
/// answer only. [StandardStreamsTest] and [DistributionIT] start a JVM for each command.
@Order(1)
class ReadmeCommandsTest {
    /// Commands that take minutes, or need published data or a tuned model. [ExamplesTest] checks
    /// their options; the tests of each command run it on less.
    private static final List<String> TOO_LONG = List.of("eval", "sweep", "bench", "calibrate", "pull --suite");

    /// Hands a call to [CommandLoop] and waits for its end. A loop that has ended fails the command.
    private static final String LAUNCHER = """
            #!/bin/sh
            call=$(mktemp -d "$PWD/call.XXXXXX")
            printf '%s\\0' "$@" > "$call/words"
            cat > "$call/in"
            mkfifo "$call/done"
            echo "$call" > calls
            code=$(timeout 300 cat "$call/done")
            cat "$call/out"
            cat "$call/err" >&2
            exit "${code:-1}"
            """;

    @TempDir
    Path folder;

    private LoopbackHub hub;
    private Process commands;

    /// Runs one command after the other in this JVM, each with streams of its own. Standard input has
    /// a line for each: its folder.
    static final class CommandLoop {
        private CommandLoop() {}

        public static void main(String[] arguments) throws IOException {
            var calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = calls.readLine(); line != null; line = calls.readLine()) {
                Path call = Path.of(line);
                Files.writeString(call.resolve("done"), Integer.toString(run(call)));
            }
        }

        private static int run(Path call) throws IOException {
            String words = Files.readString(call.resolve("words"));
            try (InputStream in = Files.newInputStream(call.resolve("in"));
                    OutputStream out = Files.newOutputStream(call.resolve("out"));
                    var err = new PrintWriter(Files.newBufferedWriter(call.resolve("err")), true)) {
                var surroundings = Surroundings.ofProcess(in, Main.class.getName());
                return Main.execute(
                        ShadowKvCommand.commandLine(surroundings, new Cancellation()),
                        out,
                        err,
                        words.substring(0, words.length() - 1).split("\0", -1));
            }
        }
    }

    @BeforeEach
    void lay() throws IOException {
        Path model = Shell.copy(Fixtures.needleModel(), folder.resolve("model"));
        Path config = model.resolve("config.json");
        Files.writeString(
                config,
                Files.readString(config)
                        .replaceFirst("\"max_position_embeddings\": *\\d+", "\"max_position_embeddings\": 131072"));
        // Answers without an end are short.
        Path generation = model.resolve("generation_config.json");
        Files.writeString(generation, Files.readString(generation).replaceFirst("\\{", "{\"max_new_tokens\": 16,"));
        Files.createDirectory(folder.resolve("examples"));
        Files.copy(Fixtures.repository().resolve("examples/needle.txt"), folder.resolve("examples/needle.txt"));
        Files.writeString(folder.resolve("report.txt"), "The sun is yellow. ".repeat(60));
        Path launcher = Files.writeString(folder.resolve("shadowkv"), LAUNCHER);
        assertThat(launcher.toFile().setExecutable(true)).isTrue();
        hub = new LoopbackHub();
        hub.folders.put("models/ORG/NAME", model);
        Path gguf = folder.resolve("model-Q4_K_M.gguf");
        Files.copy(GgufCommandTest.FILE, gguf);
        Path repository = Files.createDirectory(folder.resolve("gguf"));
        Files.copy(gguf, repository.resolve("NAME-Q4_K_M.gguf"));
        hub.folders.put("models/ORG/NAME-GGUF", repository);
        commands = startCommands();
    }

    private Process startCommands() throws IOException {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "mkfifo calls && exec \"$@\" <> calls", "sh"));
        command.addAll(Shell.SELF.subList(0, Shell.SELF.size() - 1));
        command.add(CommandLoop.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("loop").toFile());
        builder.environment()
                .putAll(Map.of(
                        "HF_ENDPOINT", hub.endpoint(),
                        "HF_TOKEN", LoopbackHub.TOKEN,
                        "HF_HOME", folder.resolve("cache").toString()));
        builder.environment().keySet().removeAll(List.of("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"));
        return builder.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        commands.destroyForcibly().waitFor();
        hub.close();
    }

    private String bash(String command) throws IOException, InterruptedException {
        Path errors = folder.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", "set -o pipefail\n" + command)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectError(errors.toFile());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(command + ": " + Files.readString(errors))
                .isZero();
        return output;
    }

    @Test
    void runAsWritten() throws IOException, InterruptedException {
        String readme = Files.readString(Fixtures.repository().resolve("README.md"));
        int start = readme.indexOf("```sh\n", readme.indexOf("\n## Commands\n")) + "```sh\n".length();
        bash("./shadowkv pull ORG/NAME");
        List<String> ran = new ArrayList<>();
        StringBuilder printed = new StringBuilder();
        for (String line :
                readme.substring(start, readme.indexOf("```", start)).lines().toList()) {
            if (line.isBlank() || line.startsWith("#") || isTooLong(line)) {
                continue;
            }
            printed.append(bash(line)).append('\n');
            ran.add(line.replaceFirst(".*\\./shadowkv (\\w+).*", "$1"));
        }
        assertThat(ran)
                .containsExactly(
                        "run",
                        "run",
                        "run",
                        "pull",
                        "run",
                        "run",
                        "pull",
                        "inspect",
                        "tokenize",
                        "logits",
                        "minference",
                        "backends",
                        "completion");
        assertThat(printed.toString())
                .contains("The special magic number", "\"finish\" :", "snapshots", "131,072", "cpu");
        assertThat(folder.resolve("logits.safetensors")).isNotEmptyFile();
    }

    private static boolean isTooLong(String line) {
        return TOO_LONG.stream().anyMatch(command -> line.startsWith("./shadowkv " + command));
    }
}
