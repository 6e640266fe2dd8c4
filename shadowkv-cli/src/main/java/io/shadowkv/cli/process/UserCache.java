package io.shadowkv.cli.process;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where this program keeps what it can make again: `shadowkv` in `XDG_CACHE_HOME` or `~/.cache`. Stateless.
public final class UserCache {
    private UserCache() {}

    /// The folder of published files: the one given, or `data` here.
    public static Path data(@Nullable Path given) {
        return given == null ? folder().resolve("data") : given;
    }

    public static Path folder() {
        return folder(Optional.ofNullable(System.getenv("XDG_CACHE_HOME")).filter(value -> !value.isBlank()));
    }

    /// The folder in the surroundings of a command.
    public static Path folder(Surroundings surroundings) {
        return folder(surroundings.variable("XDG_CACHE_HOME"));
    }

    private static Path folder(Optional<String> stated) {
        return stated.map(Path::of)
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache"))
                .resolve("shadowkv");
    }
}
