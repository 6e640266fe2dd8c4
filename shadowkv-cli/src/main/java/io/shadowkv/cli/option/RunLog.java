package io.shadowkv.cli.option;

import io.shadowkv.cli.process.NamedFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A file of runs, one JSON object per line. A line is written as soon as its run has ended, so
/// that a later failure loses nothing.
public final class RunLog {
    private final @Nullable Path file;

    /// Creates the file, so that an unwritable path is refused before the work begins.
    ///
    /// @param file null to log nothing
    /// @throws IllegalArgumentException if the file cannot be written
    public RunLog(@Nullable Path file) {
        this.file = file;
        if (file == null) {
            return;
        }
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            append("");
        } catch (IOException | UncheckedIOException e) {
            throw new IllegalArgumentException("--out is " + file + ", which cannot be written. Give another file", e);
        }
    }

    public void append(ObjectNode run) {
        append(run + System.lineSeparator());
    }

    private void append(String text) {
        if (file == null) {
            return;
        }
        try {
            Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(NamedFailure.of(file, e));
        }
    }
}
