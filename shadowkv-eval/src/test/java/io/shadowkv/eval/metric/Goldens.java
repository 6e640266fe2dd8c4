package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The rows that the Python originals wrote, and comparisons that show every row that differs.
final class Goldens {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Goldens() {}

    static JsonNode object(String file) {
        try {
            return MAPPER.readTree(Files.readString(folder().resolve(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<JsonNode> rows(String file) {
        try (Stream<String> lines = Files.lines(folder().resolve(file))) {
            return lines.map(line -> MAPPER.readTree(line)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Rows of one function; fails if there are not exactly `count`.
    static List<JsonNode> rows(String file, String function, int count) {
        List<JsonNode> rows = rows(file).stream()
                .filter(row -> row.get("fn").asString().equals(function))
                .toList();
        assertThat(rows).as(function).hasSize(count);
        return rows;
    }

    /// A string or a list of strings.
    static List<String> strings(JsonNode value) {
        return value.isArray() ? value.valueStream().map(JsonNode::asString).toList() : List.of(value.asString());
    }

    static void assertScores(List<JsonNode> rows, ToDoubleFunction<JsonNode> scored) {
        List<String> differing = new ArrayList<>();
        for (JsonNode row : rows) {
            double score = scored.applyAsDouble(row);
            if (!(Math.abs(score - row.get("score").asDouble()) <= 1e-9)) {
                differing.add(score + " for " + row);
            }
        }
        assertThat(differing).isEmpty();
    }

    static void assertOutputs(List<JsonNode> rows, Function<String, String> function) {
        List<String> differing = new ArrayList<>();
        for (JsonNode row : rows) {
            String output = function.apply(row.get("input").asString());
            if (!output.equals(row.get("output").asString())) {
                differing.add(output + " for " + row);
            }
        }
        assertThat(differing).isEmpty();
    }

    private static Path folder() {
        return Fixtures.golden("text").resolve("metrics");
    }
}
