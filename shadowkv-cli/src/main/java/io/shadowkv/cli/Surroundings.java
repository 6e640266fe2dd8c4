package io.shadowkv.cli;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// What a command finds around it; the one place where the process's environment enters.
///
/// @param environment environment variables
/// @param home root of the installation, whose folder `models` holds the bundled models
/// @param input standard input
/// @param inputIsTerminal true if a person may type there
/// @param errorIsTerminal true if progress may be drawn and redrawn on standard error
public record Surroundings(
        Map<String, String> environment,
        Optional<Path> home,
        InputStream input,
        boolean inputIsTerminal,
        boolean errorIsTerminal) {
    public Surroundings {
        environment = Map.copyOf(environment);
    }

    /// The value of an environment variable; empty counts as not set.
    public Optional<String> variable(String name) {
        return Optional.ofNullable(environment.get(name)).filter(value -> !value.isBlank());
    }

    /// The surroundings of this process, with what the launcher passes as system properties.
    static Surroundings ofProcess(InputStream input) {
        return new Surroundings(
                System.getenv(),
                Optional.ofNullable(System.getProperty("shadowkv.home")).map(Path::of),
                input,
                Boolean.getBoolean("shadowkv.terminal.stdin"),
                Boolean.getBoolean("shadowkv.terminal.stderr"));
    }
}
