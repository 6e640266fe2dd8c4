package io.shadowkv.cli.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;

/// Adds the name of the file to a read or write failure. For a full disk, or a folder in place of a
/// file, the system reports the reason without the name.
public final class NamedFailure {
    private NamedFailure() {}

    /// Returns the result of `work`; its read and write failures name a file, by default `place`.
    public static <T> T within(Path place, Supplier<T> work) {
        try {
            return work.get();
        } catch (UncheckedIOException e) {
            throw new UncheckedIOException(of(place, Objects.requireNonNull(e.getCause())));
        }
    }

    /// Like the method above for work without a result.
    public static void within(Path place, Runnable work) {
        within(place, () -> {
            work.run();
            return place;
        });
    }

    /// `problem` itself if it names a file; otherwise one that names `place`.
    public static IOException of(Path place, IOException problem) {
        if (problem instanceof FileSystemException) {
            return problem;
        }
        var named = new FileSystemException(place.toString(), null, problem.getMessage());
        named.initCause(problem);
        return named;
    }
}
