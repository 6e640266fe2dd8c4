package io.shadowkv.cli.process;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The folder for files that can be created again: `shadowkv` in `XDG_CACHE_HOME` or `~/.cache`.
/// Stateless.
public final class UserCache {
    private UserCache() {}

    /// The folder of published files: the given one, or `data` in the user's cache.
    public static Path data(@Nullable Path given) {
        return given == null ? folder().resolve("data") : given;
    }

    public static Path folder() {
        return folder(Optional.ofNullable(System.getenv("XDG_CACHE_HOME")).filter(value -> !value.isBlank()));
    }

    /// The cache folder in the given surroundings.
    public static Path folder(Surroundings surroundings) {
        return folder(surroundings.variable("XDG_CACHE_HOME"));
    }

    private static Path folder(Optional<String> stated) {
        return stated.map(Path::of)
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache"))
                .resolve("shadowkv");
    }
}
