package io.shadowkv.text;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What `tokenizer_config.json` says, with `special_tokens_map.json` where that says nothing.
///
/// @param folder the checkpoint's folder
/// @param root the config's object, empty if there is no file
/// @param specialTokensMap the other file's object, empty if there is no file
public record TokenizerConfig(Path folder, ObjectNode root, ObjectNode specialTokensMap) {
    private static final List<String> SPECIALS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    /// A token of `added_tokens_decoder`.
    public record AddedToken(int id, String content, boolean isSpecial, JsonNode json) {}

    public static TokenizerConfig read(Path folder) {
        return new TokenizerConfig(
                folder,
                object(folder.resolve("tokenizer_config.json")),
                object(folder.resolve("special_tokens_map.json")));
    }

    /// The config's path, for messages.
    public Path file() {
        return folder.resolve("tokenizer_config.json");
    }

    /// A special token by its role (`bos_token`), written as a string or as an object with a `content`.
    public Optional<String> special(String role) {
        return content(root.has(role) ? root.path(role) : specialTokensMap.path(role));
    }

    /// The variables that templates see of the special tokens: those that are set.
    public Map<String, Object> templateVariables() {
        Map<String, Object> variables = new LinkedHashMap<>();
        for (String role : SPECIALS) {
            special(role).ifPresent(token -> variables.put(role, token));
        }
        List<String> additional = new ArrayList<>();
        root.path("additional_special_tokens").forEach(token -> content(token).ifPresent(additional::add));
        if (!additional.isEmpty()) {
            variables.put("additional_special_tokens", List.copyOf(additional));
        }
        return variables;
    }

    /// The tokens added behind the vocabulary, by ascending id.
    ///
    /// @throws TokenizerException if an entry has no numeric id or no content
    public List<AddedToken> addedTokens() {
        List<AddedToken> tokens = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry :
                root.path("added_tokens_decoder").properties()) {
            JsonNode token = entry.getValue();
            Optional<String> content = content(token);
            if (content.isEmpty() || !entry.getKey().matches("\\d{1,8}")) {
                throw new TokenizerException(file() + ": added_tokens_decoder has the entry \"" + entry.getKey()
                        + "\": " + token + "; expected an id up to 8 digits and an object with a content");
            }
            boolean isSpecial = token.path("special").asBoolean(false);
            tokens.add(new AddedToken(Integer.parseInt(entry.getKey()), content.get(), isSpecial, token));
        }
        tokens.sort(Comparator.comparingInt(AddedToken::id));
        return tokens;
    }

    /// A yes or no of the config, or `otherwise` if it is absent or null.
    public boolean flag(String name, boolean otherwise) {
        JsonNode node = root.path(name);
        return node.isBoolean() ? node.booleanValue() : otherwise;
    }

    private static Optional<String> content(JsonNode token) {
        JsonNode text = token.isObject() ? token.path("content") : token;
        return text.isString() ? Optional.of(text.stringValue()) : Optional.empty();
    }

    private static ObjectNode object(Path file) {
        if (!Files.isRegularFile(file)) {
            return Json.object();
        }
        return Json.object(TextFile.utf8(file), file);
    }
}
