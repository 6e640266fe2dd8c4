package io.shadowkv.cli.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;

/// Names the file in a failure of reading or writing. A full disk or a folder in a file's place says only what is
/// wrong, not where.
public final class NamedFailure {
    private NamedFailure() {}

    /// The result of `work`, whose failures of reading or writing name a file in the end, at least `place`.
    public static <T> T within(Path place, Supplier<T> work) {
        try {
            return work.get();
        } catch (UncheckedIOException e) {
            throw new UncheckedIOException(of(place, Objects.requireNonNull(e.getCause())));
        }
    }

    /// The same for work without a result.
    public static void within(Path place, Runnable work) {
        within(place, () -> {
            work.run();
            return place;
        });
    }

    /// `problem` itself if it names a file, else one that names `place`.
    public static IOException of(Path place, IOException problem) {
        if (problem instanceof FileSystemException) {
            return problem;
        }
        var named = new FileSystemException(place.toString(), null, problem.getMessage());
        named.initCause(problem);
        return named;
    }
}
