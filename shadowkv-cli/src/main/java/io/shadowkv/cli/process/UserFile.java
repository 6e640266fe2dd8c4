package io.shadowkv.cli.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads a file given on the command line.
public final class UserFile {
    private UserFile() {}

    /// Reads all bytes of `file`.
    ///
    /// @throws IllegalArgumentException if it is a folder
    /// @throws IOException if it cannot be read; the message names it
    public static byte[] bytes(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(file + ": is a folder; give the name of a file in it");
        }
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw NamedFailure.of(file, e);
        }
    }
}
