package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A search of patterns for the bundled model on short texts.
final class MinferenceSearchCommandTest {
    private static final Object[] SHORT = {
        "minference", "search", "needle-32k", "--backend", "cpu", "--tokens", 1024, "--rows", 4
    };

    @TempDir
    private Path folder;

    private static Object[] line(Object... more) {
        Object[] all = java.util.Arrays.copyOf(SHORT, SHORT.length + more.length);
        System.arraycopy(more, 0, all, SHORT.length, more.length);
        return all;
    }

    @Test
    void theFileIsReadByMinference() throws IOException {
        Path file = folder.resolve("patterns.json");
        String out = shadowkv(line("--samples", 2, "--keys", 600, "--out", file))
                .succeeded()
                .out();
        assertThat(out)
                .contains("patterns of 5 layers with 8 heads, from 2 texts of 1,024 tokens, at most 600 keys a row")
                .endsWith("use it with --minference " + file + System.lineSeparator());
        JsonNode layers = JsonMapper.shared().readTree(Files.readString(file));
        assertThat(layers.size()).isEqualTo(5);
        for (JsonNode layer : layers) {
            assertThat(layer.size()).isEqualTo(8);
            layer.forEach(head -> {
                assertThat(head.get(0).asString()).isIn("vertical_and_slash", "stream_llm", "block_sparse");
                assertThat(head.get(3).asDouble()).isBetween(0.1, 1.0);
            });
        }
        assertThat(folder)
                .isDirectoryContaining(path -> path.equals(file))
                .isDirectoryNotContaining(path -> !path.equals(file));
        shadowkv("run", "needle-32k", "hello", "-n", 1, "--minference", file).succeeded();
        shadowkv(line("--out", file)).refused(2, file + " exists; delete it, or give another file");
    }

    /// What was read before stays; the result is that of a search in one go.
    @Test
    void anInterruptedSearchResumes() throws IOException {
        Path whole = folder.resolve("whole.json");
        shadowkv(line("--samples", 2, "--out", whole)).succeeded();

        Path file = folder.resolve("patterns.json");
        new Shell()
                .cancelled()
                .run(line("--samples", 2, "--out", file))
                .refused(1, "interrupted after 0 of 2 texts; run the same command again to resume");
        assertThat(file).doesNotExist();
        Path one = folder.resolve("one.json");
        // A search of one text cannot be written as a file of few keys, so its sums stay.
        shadowkv(line("--samples", 1, "--keys", 1, "--out", one))
                .refused(1, "a row may read 1 keys", "Allow at least that many");
        Path kept = folder.resolve("one.json.search");
        Files.copy(kept, folder.resolve("patterns.json.search"));
        new Shell().cancelled().run(line("--samples", 2, "--out", file)).refused(1, "interrupted after 1 of 2 texts");
        shadowkv(line("--samples", 2, "--out", file)).succeeded();
        assertThat(file).hasSameTextualContentAs(whole);
        assertThat(folder.resolve("patterns.json.search")).doesNotExist();

        shadowkv(line("--seed", 2, "--out", one)).refused(1, "one.json.search holds a search with", "\"seed\":1");
        Files.writeString(kept, "[]");
        shadowkv(line("--out", one)).refused(1, "one.json.search is not a search that was interrupted");
    }

    @Test
    void readsAFile() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "The grass is green. The sky is blue. ".repeat(140));
        Path file = folder.resolve("patterns.json");
        Shell.Result result =
                shadowkv(line("--text", text, "--samples", 4, "--out", file)).succeeded();
        assertThat(result.err()).contains("long enough for 1 of 4 samples of 1,024 tokens");
        Path little = Files.writeString(folder.resolve("little.txt"), "The grass is green. ".repeat(10));
        shadowkv(line("--text", little, "--out", folder.resolve("x.json")))
                .refused(1, "is too short to search patterns; a pattern is used from 256 tokens");
    }

    @Test
    void refusesWhatDoesNotFit() {
        Path file = folder.resolve("patterns.json");
        shadowkv("minference", "search", "needle-32k", "--tokens", "64k", "--out", file)
                .refused(1, "--tokens is 65,536", "32,768", "Lower --tokens");
        shadowkv("minference", "search", "needle-32k", "--rows", 0, "--out", file)
                .refused(2, "--rows is 0; expected 1 or more");
        shadowkv("minference").refused(2, "no command given; one of search");
        shadowkv("minference", "search", "needle-32k").refused(2, "--out");
    }
}
