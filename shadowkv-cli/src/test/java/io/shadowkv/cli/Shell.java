package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs commands in this process like the launcher, with streams that can be read afterwards.
final class Shell {
    /// The command line on this test's class path.
    static final List<String> SELF = List.of(
            ProcessHandle.current().info().command().orElse("java"),
            "-XX:+UseSerialGC",
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Dshadowkv.home=" + Fixtures.repository(),
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName());

    private final Map<String, String> environment = new HashMap<>();
    private final Cancellation cancellation = new Cancellation();
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private OutputStream out = printed;
    private String input = "";
    private List<String> self = SELF;
    private boolean atTerminal;

    /// The output and the exit code of a command.
    record Result(int code, String out, String err) {
        JsonNode json() {
            assertThat(code).as(err).isZero();
            return JsonMapper.shared().readTree(out);
        }

        /// Fails if the command failed.
        Result succeeded() {
            assertThat(code).as(err).isZero();
            return this;
        }

        /// Fails unless the command ended with this code, printed the fragments, and showed no
        /// stack trace.
        void refused(int expectedCode, String... fragments) {
            assertThat(err).contains(fragments).doesNotContain("\tat ", "Exception", "defect");
            assertThat(out).isEmpty();
            assertThat(code).isEqualTo(expectedCode);
        }
    }

    Shell with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    Shell typing(String text) {
        input = text;
        return this;
    }

    /// Standard input is a terminal without input.
    Shell atTerminal() {
        atTerminal = true;
        return this;
    }

    /// Worker processes run with these JVM options in addition.
    Shell workersWith(String... options) {
        self = new ArrayList<>(SELF);
        self.addAll(1, List.of(options));
        return this;
    }

    /// Sends standard output here instead of to the result.
    Shell printingTo(OutputStream target) {
        out = target;
        return this;
    }

    Shell cancelled() {
        cancellation.cancel();
        return this;
    }

    Result run(Object... arguments) {
        var surroundings = new Surroundings(
                environment,
                Optional.of(Fixtures.repository()),
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                atTerminal,
                false,
                self);
        StringWriter err = new StringWriter();
        int code = Main.execute(
                ShadowKvCommand.commandLine(surroundings, cancellation),
                out,
                new PrintWriter(err, true),
                Stream.of(arguments).map(Object::toString).toArray(String[]::new));
        return new Result(code, printed.toString(StandardCharsets.UTF_8), err.toString());
    }

    static Result shadowkv(Object... arguments) {
        return new Shell().run(arguments);
    }

    /// The folder of a golden model.
    static Path tiny(String name) {
        return Fixtures.golden("models").resolve("models").resolve(name);
    }

    /// Copies a model's folder, so that a test can change it.
    static Path copy(Path model, Path target) {
        try (Stream<Path> files = Files.list(model)) {
            Files.createDirectories(target);
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, target.resolve(file.getFileName()));
            }
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Names in a folder, including hidden ones.
    static List<String> names(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
