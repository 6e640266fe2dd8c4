package io.shadowkv.cli.option;

import io.shadowkv.cli.process.NamedFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// The file of a report, which appears complete or not at all. A temporary file reserves its place.
///
/// @param path absolute path
/// @param part the temporary file, deleted when this is closed
public record ReportFile(Path path, Path part) implements AutoCloseable {
    /// Creates the folder and the temporary file, so that an unwritable path is refused before the
    /// work.
    ///
    /// @throws IllegalArgumentException if the path cannot be written
    public static ReportFile open(Path file) {
        Path path = file.toAbsolutePath().normalize();
        if (Files.isDirectory(path)) {
            throw new IllegalArgumentException(path + " is a folder, not a file");
        }
        Path part = path.resolveSibling(path.getFileName() + ".part");
        try {
            Files.createDirectories(part.getParent());
            Files.writeString(part, "");
        } catch (IOException e) {
            throw new IllegalArgumentException("files cannot be written to the folder " + part.getParent(), e);
        }
        return new ReportFile(path, part);
    }

    public void write(String page) throws IOException {
        try {
            Files.writeString(part, page, StandardCharsets.UTF_8);
            Files.move(part, path, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw NamedFailure.of(path, e);
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(part);
    }
}
