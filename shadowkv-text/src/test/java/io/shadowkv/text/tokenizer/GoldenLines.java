package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.text.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The lines of the golden tokenizer files; compares all lines of a file and shows the differences.
public final class GoldenLines {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private GoldenLines() {}

    /// The folder with one folder per tokenizer.
    public static Path root() {
        try (Stream<Path> files = Files.walk(Fixtures.golden("tokenizers"))) {
            return files.filter(file -> file.endsWith("split_patterns.json"))
                    .findFirst()
                    .orElseThrow()
                    .getParent();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The folders in `root` that contain `file`.
    static List<Path> foldersWith(String file) {
        try (Stream<Path> folders = Files.list(root())) {
            return folders.filter(folder -> Files.exists(folder.resolve(file)))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode object(Path file) {
        try {
            return MAPPER.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<JsonNode> lines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> MAPPER.readTree(line)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ids(JsonNode array) {
        return Json.elements(array).stream().mapToInt(JsonNode::asInt).toArray();
    }

    static String text(JsonNode node) {
        return node.asString();
    }

    /// Collects all differences of a file for a single failure.
    static final class Comparison {
        private final List<String> differences = new ArrayList<>();
        private int count;

        void same(String what, @Nullable Object actual, @Nullable Object expected) {
            count++;
            Object actualValue = actual instanceof int[] ids ? Arrays.toString(ids) : actual;
            Object expectedValue = expected instanceof int[] ids ? Arrays.toString(ids) : expected;
            if (!Objects.equals(actualValue, expectedValue)) {
                differences.add(what + "\n  is       " + actualValue + "\n  expected " + expectedValue);
            }
        }

        void done(int atLeast) {
            assertThat(differences).isEmpty();
            assertThat(count).isGreaterThanOrEqualTo(atLeast);
        }
    }
}
