package io.shadowkv.text;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads the tokenizer's JSON files with messages that name the file.
public final class Json {
    /// Immutable and thread-safe, as Jackson promises of a built factory.
    private static final JsonFactory FACTORY = new JsonFactory();

    private Json() {}

    /// The object that `text` holds.
    ///
    /// @throws TokenizerException if it is no JSON, or no object
    public static ObjectNode object(String text, Object source) {
        try {
            if (JsonTree.read(FACTORY, text) instanceof ObjectNode object) {
                return object;
            }
        } catch (JacksonException e) {
            throw new TokenizerException(
                    source + ": is not valid JSON: " + e.getOriginalMessage() + " at line "
                            + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr() + ". Fetch the file again",
                    e);
        }
        throw new TokenizerException(source + ": holds no JSON object. Fetch the file again");
    }

    public static ObjectNode object() {
        return JsonTree.object();
    }

    public static String text(JsonNode node) {
        return JsonTree.text(node);
    }

    /// The node as strings, numbers, booleans, nulls, lists and maps in the file's order.
    public static @Nullable Object value(JsonNode node) {
        if (node.isObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            node.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
            return map;
        }
        if (node.isArray()) {
            return StreamSupport.stream(node.spliterator(), false)
                    .map(Json::value)
                    .toList();
        }
        if (node.isString()) {
            return node.stringValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        return node.isNumber() ? node.numberValue() : null;
    }

    public static List<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }
}
