package io.shadowkv.hub;

import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Parses JSON from a server, bounded in size and depth; every failure is a [HubException].
final class HubJson {
    /// Size of the largest response that is read.
    static final long MAX_BYTES = 64L << 20;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(64)
                            .maxDocumentLength(MAX_BYTES)
                            .maxNumberLength(200)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private HubJson() {}

    /// Parses the object in `bytes`; `source` names them in messages.
    static JsonNode object(String source, byte[] bytes) {
        try {
            JsonNode root = MAPPER.readTree(new String(bytes, StandardCharsets.UTF_8));
            if (root.isObject()) {
                return root;
            }
            throw new HubException(source + ": expected a JSON object, found " + describe(root));
        } catch (JacksonException e) {
            throw new HubException(
                    source + ": not valid JSON: " + shorten(String.valueOf(e.getOriginalMessage()))
                            + ". The address may not be a hub's, or a proxy answered instead",
                    e);
        }
    }

    /// Describes the type of `node`, with the value if it is short.
    static String describe(JsonNode node) {
        if (node.isObject()) {
            return "an object of " + node.size() + " entries";
        }
        if (node.isArray()) {
            return "an array of " + node.size() + " elements";
        }
        return node.isMissingNode() ? "nothing" : shorten(node.toString());
    }

    static String shorten(String text) {
        return text.length() <= 160 ? text : text.substring(0, 160) + "…";
    }
}
