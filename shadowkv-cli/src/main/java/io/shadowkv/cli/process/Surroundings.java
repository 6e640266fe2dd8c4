package io.shadowkv.cli.process;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a command finds around it; the one place where the process's environment enters.
///
/// @param environment environment variables
/// @param home root of the installation, whose folder `models` holds the bundled models
/// @param input standard input
/// @param inputIsTerminal true if a person may type there
/// @param errorIsTerminal true if progress may be drawn and redrawn on standard error
/// @param self the command that starts this program again, without arguments; empty if it is not known
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

    /// The value of an environment variable; empty counts as not set.
    public Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    /// The command that starts this program on any machine that has it at the same place: the launcher where there is
    /// one, which finds the JDK itself.
    public List<String> program() {
        return home().map(folder -> folder.resolve("shadowkv"))
                .filter(Files::isExecutable)
                .map(launcher -> List.of(launcher.toAbsolutePath().toString()))
                .orElse(self);
    }

    /// The surroundings of this process, with what the launcher passes as system properties.
    public static Surroundings ofProcess(InputStream input, String mainClass) {
        return new Surroundings(
                System.getenv(),
                Optional.ofNullable(System.getProperty("shadowkv.home")).map(Path::of),
                input,
                Boolean.getBoolean("shadowkv.terminal.stdin"),
                Boolean.getBoolean("shadowkv.terminal.stderr"),
                ownCommand(mainClass));
    }

    /// This process's command up to the main class, less what the launcher says of its streams.
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
