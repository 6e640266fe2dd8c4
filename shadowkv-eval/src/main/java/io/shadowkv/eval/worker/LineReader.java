package io.shadowkv.eval.worker;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/// Reads pipes.
final class LineReader {
    private LineReader() {}

    /// Passes every line to `action` until the stream ends. A broken pipe counts as the end.
    static void forEach(InputStream in, Consumer<String> action) {
        try (var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                action.accept(line);
            }
        } catch (IOException _) {
            // The other process has ended.
        }
    }
}
