package io.shadowkv.text;

import io.shadowkv.text.gguf.GgufException;
import io.shadowkv.text.gguf.GgufHeader;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes what a GGUF file's metadata says of special tokens and chat templates as a
/// `tokenizer_config.json` does.
final class GgufConfig {
    private static final String KEYS = "tokenizer.ggml.";
    private static final String TEMPLATE = "tokenizer.chat_template";
    private static final Map<String, String> ROLES = Map.of(
            "bos_token", "bos_token_id",
            "eos_token", "eos_token_id",
            "unk_token", "unknown_token_id",
            "sep_token", "seperator_token_id",
            "pad_token", "padding_token_id");

    private GgufConfig() {}

    /// @throws TokenizerException if the header names a token that does not exist
    static ObjectNode of(GgufHeader header) {
        try {
            return config(header);
        } catch (GgufException e) {
            throw new TokenizerException(String.valueOf(e.getMessage()), e);
        }
    }

    private static ObjectNode config(GgufHeader header) {
        ObjectNode config = Json.object();
        List<String> tokens = header.strings(KEYS + "tokens").orElse(List.of());
        ROLES.forEach((role, name) -> {
            OptionalLong id = header.integer(KEYS + name);
            if (id.isPresent() && (id.getAsLong() < 0 || id.getAsLong() >= tokens.size())) {
                throw header.wrong(KEYS + name, "the number of one of the " + tokens.size() + " tokens");
            }
            id.ifPresent(known -> config.put(role, tokens.get((int) known)));
        });
        for (String flag : List.of("add_bos_token", "add_eos_token")) {
            header.bool(KEYS + flag).ifPresent(value -> config.put(flag, value));
        }
        templates(header, config);
        return config;
    }

    /// One template, or several with names: `tokenizer.chat_template.NAME`.
    private static void templates(GgufHeader header, ObjectNode config) {
        List<String> named = header.keys().stream()
                .filter(key -> key.startsWith(TEMPLATE + "."))
                .toList();
        if (named.isEmpty()) {
            header.string(TEMPLATE).ifPresent(template -> config.put("chat_template", template));
            return;
        }
        ArrayNode all = config.putArray("chat_template");
        header.string(TEMPLATE).ifPresent(template -> add(all, "default", template));
        named.forEach(key ->
                header.string(key).ifPresent(template -> add(all, key.substring(TEMPLATE.length() + 1), template)));
    }

    private static void add(ArrayNode all, String name, String template) {
        all.addObject().put("name", name).put("template", template);
    }
}
