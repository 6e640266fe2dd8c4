package io.shadowkv.server.json;

import io.shadowkv.server.error.ApiException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Parses request bodies: one JSON object in UTF-8, without repeated keys and without anything after
/// it.
public final class JsonBody {
    private static final int NESTING = 200;

    /// Immutable and thread-safe, as Jackson promises of a built mapper.
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    // The limit on the body is the limit on its strings.
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .maxNestingDepth(NESTING)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonBody() {}

    /// @throws ApiException if the bytes are not one JSON object in UTF-8
    public static ObjectNode parse(byte[] body) {
        if (body.length == 0) {
            throw ApiException.invalid(null, "invalid_json", "the request has no body; send a JSON object");
        }
        JsonNode node;
        try {
            node = MAPPER.readTree(text(body));
        } catch (JacksonException e) {
            throw ApiException.invalid(
                    null,
                    "invalid_json",
                    "the request body is not valid JSON: " + e.getOriginalMessage() + place(e.getLocation()));
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw ApiException.invalid(null, "invalid_json", "the request body is not a JSON object");
    }

    /// The parser knows no place if a limit is exceeded.
    private static String place(@Nullable TokenStreamLocation location) {
        return location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    /// The characters of a body.
    ///
    /// @throws ApiException if it is not UTF-8
    public static String text(byte[] body) {
        ByteBuffer bytes = ByteBuffer.wrap(body);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(bytes)
                    .toString();
        } catch (CharacterCodingException e) {
            throw ApiException.invalid(
                    null,
                    "invalid_utf8",
                    "the request body is not UTF-8: the byte at offset " + bytes.position() + " begins no character");
        }
    }

    /// The JSON value that a text is; empty if the text is not JSON.
    public static Optional<JsonNode> tryRead(String text) {
        try {
            return Optional.of(MAPPER.readTree(text)).filter(node -> !node.isMissingNode());
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    public static byte[] bytes(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    /// The JSON text, on one line.
    public static String line(JsonNode node) {
        return MAPPER.writeValueAsString(node);
    }
}
