package io.shadowkv.eval.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/// Reads published JSON of any size piece by piece.
final class LargeJson {
    /// Accepts texts of any length: single books of the suites have more characters than the
    /// parser's default limit.
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .build();

    private LargeJson() {}

    /// Reads the bytes of a file from `start` (inclusive) to `end` (exclusive).
    ///
    /// @throws UncheckedIOException if they cannot be read
    static byte[] bytes(Path file, long start, long end) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(end - start));
        try (FileChannel channel = FileChannel.open(file)) {
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, start + bytes.position()) < 0) {
                    throw new IOException(file + " has become shorter while it was read");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.array();
    }
}
