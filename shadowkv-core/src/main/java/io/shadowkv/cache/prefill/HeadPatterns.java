package io.shadowkv.cache.prefill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// MInference's pattern of each query head, as its published files hold them: a list with an object for
/// each layer, which maps the number of a head to `[kind, vertical, slash, score]`. The score is not
/// used. A head that is missing has the pattern [#USUAL].
///
/// @param source where the patterns are from, for messages and reports
/// @param layers for each layer, the patterns of the heads that have one
public record HeadPatterns(String source, List<Map<Integer, Pattern>> layers) {
    /// The pattern of a head that has none.
    public static final Pattern USUAL = new Pattern(Kind.VERTICAL_AND_SLASH, 1000, 6096);

    private static final String FILE = "pattern file ";
    private static final long MAX_BYTES = 16 << 20;
    private static final String WHAT_TO_DO = ". Give the pattern file of this model, or leave the file out, which gives"
            + " every head the usual pattern";

    public HeadPatterns {
        layers = layers.stream().map(Map::copyOf).toList();
    }

    /// Every head of every model has the usual pattern.
    public static HeadPatterns usual() {
        return new HeadPatterns("the usual pattern", List.of());
    }

    /// Patterns that stand for a file that is not read, to name it: every layer's are missing.
    public static HeadPatterns named(Path file) {
        return new HeadPatterns(FILE + file, List.of(Map.of()));
    }

    /// What a head attends to.
    public enum Kind {
        /// The keys of some columns, and those at some distances from the row.
        VERTICAL_AND_SLASH,
        /// The key blocks whose mean the mean query of a row block attends to most.
        BLOCK_SPARSE,
        /// The first keys and the nearest keys.
        STREAM_LLM;

        /// The name that pattern files use.
        String spelling() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// @param vertical number of columns, or of first keys
    /// @param slash number of distances, or of nearest keys
    public record Pattern(Kind kind, int vertical, int slash) {}

    /// The file that the patterns are from; null if they are not from a file.
    public @Nullable String file() {
        return source.startsWith(FILE) ? source.substring(FILE.length()) : null;
    }

    /// True if the patterns are not from a file.
    public boolean isDefault() {
        return layers.isEmpty();
    }

    Pattern of(int layer, int head) {
        return layers.isEmpty() ? USUAL : layers.get(layer).getOrDefault(head, USUAL);
    }

    /// Refuses patterns that are not of this shape.
    ///
    /// @throws IllegalArgumentException naming what was expected and found
    void check(int modelLayers, int queryHeads) {
        if (layers.isEmpty()) {
            return;
        }
        if (layers.size() != modelLayers) {
            throw new IllegalArgumentException(source + " has patterns for " + layers.size() + " layers; the model has "
                    + modelLayers + " layers" + WHAT_TO_DO);
        }
        for (int layer = 0; layer < layers.size(); layer++) {
            for (int head : layers.get(layer).keySet()) {
                if (head >= queryHeads) {
                    throw new IllegalArgumentException(source + " has a pattern for head " + head + " of layer " + layer
                            + "; the model has query heads 0 to " + (queryHeads - 1) + WHAT_TO_DO);
                }
            }
        }
    }

    /// Reads a pattern file.
    ///
    /// @throws IllegalArgumentException if the file cannot be read or has another format
    public static HeadPatterns read(Path file) {
        String source = FILE + file;
        try {
            long bytes = Files.size(file);
            if (bytes > MAX_BYTES) {
                throw new IllegalArgumentException(
                        source + " has " + bytes + " bytes; a pattern file has at most " + MAX_BYTES);
            }
            return parse(source, Files.readAllBytes(file));
        } catch (IOException e) {
            String why = Files.exists(file) ? "cannot be read (" + e.getMessage() + ")" : "does not exist";
            throw new IllegalArgumentException(source + " " + why + WHAT_TO_DO, e);
        }
    }

    static HeadPatterns parse(String source, byte[] json) {
        JsonNode root;
        try {
            root = JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(source + " is not JSON: " + e.getOriginalMessage() + WHAT_TO_DO, e);
        }
        if (!root.isArray() || root.isEmpty()) {
            throw new IllegalArgumentException(source + " is not a list with an object for each layer" + WHAT_TO_DO);
        }
        List<Map<Integer, Pattern>> layers = new ArrayList<>();
        for (int layer = 0; layer < root.size(); layer++) {
            layers.add(layer(source, layer, root.get(layer)));
        }
        return new HeadPatterns(source, layers);
    }

    private static Map<Integer, Pattern> layer(String source, int layer, JsonNode heads) {
        String where = source + ", layer " + layer;
        if (!heads.isObject()) {
            throw new IllegalArgumentException(
                    where + ": " + shown(heads) + "; expected an object from head numbers to patterns" + WHAT_TO_DO);
        }
        Map<Integer, Pattern> patterns = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : heads.properties()) {
            if (!entry.getKey().matches("[0-9]{1,5}")) {
                throw new IllegalArgumentException(
                        where + ": '" + entry.getKey() + "' is not the number of a head" + WHAT_TO_DO);
            }
            patterns.put(
                    Integer.valueOf(entry.getKey()), pattern(where + ", head " + entry.getKey(), entry.getValue()));
        }
        return patterns;
    }

    private static Pattern pattern(String where, JsonNode values) {
        boolean isList = values.isArray()
                && values.size() >= 3
                && values.get(0).isString()
                && isCount(values.get(1))
                && isCount(values.get(2));
        if (!isList) {
            throw new IllegalArgumentException(where + ": " + shown(values)
                    + "; expected [kind, vertical, slash, score], such as [\"vertical_and_slash\", 1000, 6096, 1]"
                    + WHAT_TO_DO);
        }
        Kind kind = switch (values.get(0).stringValue()) {
            case "vertical_and_slash" -> Kind.VERTICAL_AND_SLASH;
            case "block_sparse" -> Kind.BLOCK_SPARSE;
            case "stream_llm" -> Kind.STREAM_LLM;
            default ->
                throw new IllegalArgumentException(where + ": " + shown(values.get(0))
                        + "; expected the kind vertical_and_slash, block_sparse or stream_llm" + WHAT_TO_DO);
        };
        return new Pattern(kind, values.get(1).intValue(), values.get(2).intValue());
    }

    private static boolean isCount(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0;
    }

    private static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }
}
