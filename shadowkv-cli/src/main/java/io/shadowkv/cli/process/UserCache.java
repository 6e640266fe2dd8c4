package io.shadowkv.cli.process;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Where this program keeps what it can make again: `shadowkv` in `XDG_CACHE_HOME` or `~/.cache`. Stateless.
public final class UserCache {
    private UserCache() {}

    /// The folder of published files: the one given, or `data` here.
    public static Path data(@Nullable Path given) {
        return given == null ? folder().resolve("data") : given;
    }

    public static Path folder() {
        String stated = System.getenv("XDG_CACHE_HOME");
        Path parent = stated == null || stated.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(stated);
        return parent.resolve("shadowkv");
    }
}
