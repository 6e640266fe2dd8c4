package io.shadowkv.hub;

import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// JSON that a server sends: bounded in size and depth, every failure a [HubException].
final class HubJson {
    /// The largest answer that is read.
    static final long MAX_BYTES = 64L << 20;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxDocumentLength(MAX_BYTES)
                    .maxNumberLength(200)
                    .build())
            .build();

    private HubJson() {}

    /// The object that `bytes` hold; `source` names them in messages.
    static JsonNode object(String source, byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            JsonNode root = parser.nextToken() == null ? JsonNodeFactory.instance.missingNode() : value(parser);
            if (parser.nextToken() != null) {
                throw new StreamReadException(parser, "more follows after the value");
            }
            if (root.isObject()) {
                return root;
            }
            throw new HubException(source + ": expected a JSON object, found " + describe(root));
        } catch (JacksonException e) {
            throw new HubException(
                    source + ": not valid JSON: " + shorten(String.valueOf(e.getOriginalMessage()))
                            + ". The address may not be a hub's, or a proxy answered in its place",
                    e);
        }
    }

    /// The value at the parser's token. Without Jackson's mapper, which needs newer annotations than many applications
    /// bring.
    private static JsonNode value(JsonParser parser) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        JsonToken token = parser.currentToken();
        if (token == JsonToken.START_OBJECT) {
            ObjectNode object = nodes.objectNode();
            for (String name = parser.nextName(); name != null; name = parser.nextName()) {
                parser.nextToken();
                object.set(name, value(parser));
            }
            return object;
        }
        if (token == JsonToken.START_ARRAY) {
            ArrayNode array = nodes.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                array.add(value(parser));
            }
            return array;
        }
        if (token.isNumeric()) {
            return nodes.numberNode(parser.getDecimalValue());
        }
        return switch (token) {
            case VALUE_NULL -> nodes.nullNode();
            case VALUE_TRUE, VALUE_FALSE -> nodes.booleanNode(parser.getBooleanValue());
            default -> nodes.stringNode(parser.getString());
        };
    }

    /// What kind of value `node` is, with the value where it is short.
    static String describe(JsonNode node) {
        if (node.isObject()) {
            return "an object of " + node.size() + " entries";
        }
        if (node.isArray()) {
            return "an array of " + node.size() + " elements";
        }
        if (node.isMissingNode()) {
            return "nothing";
        }
        return shorten(node.isString() ? '"' + node.stringValue() + '"' : node.asString(""));
    }

    static String shorten(String text) {
        return text.length() <= 160 ? text : text.substring(0, 160) + "…";
    }
}
