package io.shadowkv.eval.text;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/// Files that may be compressed with gzip, according to their names.
public final class PackedFile {
    private PackedFile() {}

    /// The file itself, or the one with `.gz` added if only that exists.
    public static Path existing(Path file) {
        Path packed = file.resolveSibling(file.getFileName() + ".gz");
        return Files.isRegularFile(file) || !Files.isRegularFile(packed) ? file : packed;
    }

    /// Opens a file; decompresses it if its name ends in `.gz`.
    public static InputStream open(Path file) throws IOException {
        InputStream bytes = new BufferedInputStream(Files.newInputStream(file));
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".gz") ? new GZIPInputStream(bytes) : bytes;
    }
}
