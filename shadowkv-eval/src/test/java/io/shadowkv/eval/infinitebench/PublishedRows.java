package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.text.JsonLines;
import io.shadowkv.eval.text.JsonRow;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Fixtures next to the tests: rows in the published layouts, and the output of the suites' own
/// functions for them.
public final class PublishedRows {
    private PublishedRows() {}

    public static Stream<JsonRow> of(Class<?> test, String name) {
        try {
            Path file = Path.of(Objects.requireNonNull(test.getResource(name)).toURI());
            JsonLines lines = JsonLines.open(file, "the test", "a fixture");
            return IntStream.range(0, lines.size()).mapToObj(lines::read);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Writes a fixture's row twice, as the two lines of its task's published file.
    public static void publish(JsonRow fixture, Path folder) throws IOException {
        String row = fixture.fields().get("row").toString();
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(fixture.text("task") + ".jsonl"), row + "\n" + row + "\n");
    }
}
