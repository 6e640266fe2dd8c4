package io.shadowkv.cli.process;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The environment of a command; the only place that reads the environment of the process.
///
/// @param environment environment variables
/// @param home root of the installation, whose folder `models` contains the bundled models
/// @param input standard input
/// @param inputIsTerminal true if standard input is a terminal
/// @param errorIsTerminal true if standard error is a terminal, where progress can be redrawn
/// @param self the command that starts this program again, without arguments; empty if it is
///     unknown
public record Surroundings(
        Map<String, String> environment,
        Optional<Path> home,
        InputStream input,
        boolean inputIsTerminal,
        boolean errorIsTerminal,
        List<String> self) {
    public Surroundings {
        environment = Map.copyOf(environment);
        self = List.copyOf(self);
    }

    /// The value of an environment variable; an empty value counts as not set.
    public Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    /// The command that starts this program on any machine with the same installation: the launcher
    /// if there is one, which finds the JDK itself.
    public List<String> program() {
        return home().map(folder -> folder.resolve("shadowkv"))
                .filter(Files::isExecutable)
                .map(launcher -> List.of(launcher.toAbsolutePath().toString()))
                .orElse(self);
    }

    /// The surroundings of this process, including the system properties that the launcher sets.
    public static Surroundings ofProcess(InputStream input, String mainClass) {
        return new Surroundings(
                System.getenv(),
                Optional.ofNullable(System.getProperty("shadowkv.home")).map(Path::of),
                input,
                Boolean.getBoolean("shadowkv.terminal.stdin"),
                Boolean.getBoolean("shadowkv.terminal.stderr"),
                ownCommand(mainClass));
    }

    /// The command of this process up to the main class, without the launcher's settings for its
    /// streams.
    private static List<String> ownCommand(String mainClass) {
        ProcessHandle.Info info = ProcessHandle.current().info();
        List<String> arguments = List.of(info.arguments().orElse(new String[0]));
        for (int i = 0; i < arguments.size() && info.command().isPresent(); i++) {
            if (arguments.get(i).endsWith(mainClass)) {
                List<String> self = new ArrayList<>();
                self.add(info.command().get());
                arguments.subList(0, i + 1).stream()
                        .filter(argument -> !argument.startsWith("-Dshadowkv.stderr=")
                                && !argument.startsWith("-Dshadowkv.terminal."))
                        .forEach(self::add);
                return self;
            }
        }
        return List.of();
    }
}
