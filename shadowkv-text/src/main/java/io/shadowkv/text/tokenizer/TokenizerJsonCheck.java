package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TokenizerException;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;

/// Refuses files that the tokenizers library accepts but cannot process: it ends the JVM at an
/// unexpected index.
///
/// Found by mutating the golden files.
final class TokenizerJsonCheck {
    private final Object source;

    private TokenizerJsonCheck(Object source) {
        this.source = source;
    }

    /// @throws TokenizerException with the inconsistent part
    static void check(JsonNode root, Object source) {
        TokenizerJsonCheck check = new TokenizerJsonCheck(source);
        check.merges(root.path("model"));
        check.postProcessor(root.path("post_processor"));
        check.normalizer(root.path("normalizer"));
    }

    /// The library cuts the right part of a merge by the number of bytes of the prefix.
    private void merges(JsonNode model) {
        String prefix = model.path("continuing_subword_prefix").asString("");
        if (prefix.isEmpty()) {
            return;
        }
        for (JsonNode merge : model.path("merges")) {
            String right = merge.isArray()
                    ? merge.path(1).asString("")
                    : merge.asString("").substring(merge.asString("").indexOf(' ') + 1);
            if (!right.startsWith(prefix)) {
                throw refusal("the merge " + merge + " does not continue with the continuing_subword_prefix \"" + prefix
                        + "\" (" + prefix.getBytes(StandardCharsets.UTF_8).length + " bytes)");
            }
        }
    }

    private void postProcessor(JsonNode processor) {
        for (JsonNode step : processor.path("processors")) {
            postProcessor(step);
        }
        for (String template : new String[] {"single", "pair"}) {
            for (JsonNode piece : processor.path(template)) {
                String token = piece.path("SpecialToken").path("id").asString("");
                JsonNode special = processor.path("special_tokens").path(token);
                if (piece.has("SpecialToken")
                        && !token.equals(special.path("id").asString(null))) {
                    throw refusal("the post_processor adds \"" + token + "\", which is not among its special_tokens");
                }
            }
        }
    }

    private void normalizer(JsonNode normalizer) {
        for (JsonNode step : normalizer.path("normalizers")) {
            normalizer(step);
        }
        boolean isPrecompiled = normalizer.path("type").asString("").equals("Precompiled");
        if (isPrecompiled && !normalizer.path("precompiled_charsmap").isString()) {
            throw refusal("a normalizer of type Precompiled has no precompiled_charsmap");
        }
    }

    private TokenizerException refusal(String finding) {
        return new TokenizerException(source + ": " + finding + ". Download the file again");
    }
}
