package io.shadowkv.text.tokenizer;

import io.shadowkv.text.Json;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The `post_processor` of a `tokenizer.json` that adds tokens around a text.
final class TemplateProcessing {
    /// A token and its id.
    record Token(String text, int id) {}

    private TemplateProcessing() {}

    static ObjectNode of(List<Token> before, List<Token> after) {
        ObjectNode processor = Json.object().put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        ArrayNode pair = processor.putArray("pair");
        ObjectNode specials = processor.putObject("special_tokens");
        before.forEach(token -> add(token, single, specials));
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        after.forEach(token -> add(token, single, specials));
        pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
        return processor;
    }

    private static void add(Token token, ArrayNode single, ObjectNode specials) {
        single.addObject().putObject("SpecialToken").put("id", token.text()).put("type_id", 0);
        ObjectNode special = specials.putObject(token.text()).put("id", token.text());
        special.putArray("ids").add(token.id());
        special.putArray("tokens").add(token.text());
    }

    /// True if a post-processor adds a token before or after a text.
    static boolean adds(JsonNode processor, String token, boolean isBefore) {
        for (JsonNode step : processor.path("processors")) {
            if (adds(step, token, isBefore)) {
                return true;
            }
        }
        boolean isBehind = false;
        for (JsonNode piece : processor.path("single")) {
            isBehind |= piece.has("Sequence");
            boolean isToken = piece.path("SpecialToken").path("id").asString("").equals(token);
            if (isToken && isBehind != isBefore) {
                return true;
            }
        }
        return false;
    }
}
