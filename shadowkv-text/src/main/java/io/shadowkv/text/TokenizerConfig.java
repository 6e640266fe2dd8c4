package io.shadowkv.text;

import io.shadowkv.text.gguf.GgufException;
import io.shadowkv.text.gguf.GgufHeader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The contents of `tokenizer_config.json`, with `special_tokens_map.json` and `added_tokens.json`
/// for what it does not contain.
///
/// @param folder folder of the checkpoint, or a GGUF file
/// @param root the object of the config; empty if the file does not exist
/// @param specialTokensMap the object of that file; empty if it does not exist
/// @param ids the object of `added_tokens.json`; empty if the file does not exist
public record TokenizerConfig(Path folder, ObjectNode root, ObjectNode specialTokensMap, ObjectNode ids) {
    private static final List<String> SPECIALS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    /// A token in addition to those of the vocabulary.
    ///
    /// @param json its properties: `lstrip`, `normalized` …
    public record AddedToken(int id, String content, boolean isSpecial, JsonNode json) {}

    /// The config of a folder without one.
    public static TokenizerConfig empty(Path folder) {
        return new TokenizerConfig(folder, Json.object(), Json.object(), Json.object());
    }

    /// Reads the files of a checkpoint folder, or the metadata of a GGUF file.
    public static TokenizerConfig read(Path folder) {
        try {
            if (GgufHeader.isGguf(folder)) {
                return of(GgufHeader.read(folder));
            }
        } catch (GgufException e) {
            throw new TokenizerException(String.valueOf(e.getMessage()), e);
        }
        return new TokenizerConfig(
                folder,
                object(folder.resolve("tokenizer_config.json")),
                object(folder.resolve("special_tokens_map.json")),
                object(folder.resolve("added_tokens.json")));
    }

    /// What the metadata of a GGUF file says.
    ///
    /// @throws TokenizerException if it names a token that does not exist
    public static TokenizerConfig of(GgufHeader header) {
        return new TokenizerConfig(header.file(), GgufConfig.of(header), Json.object(), Json.object());
    }

    /// Path of the config, for messages.
    public Path file() {
        return Files.isRegularFile(folder) ? folder : folder.resolve("tokenizer_config.json");
    }

    /// A special token by its role (`bos_token`), written as a string or as an object with a
    /// `content`.
    public Optional<String> special(String role) {
        return content(root.has(role) ? root.path(role) : specialTokensMap.path(role));
    }

    /// Every special token by its role, followed by the additional ones, each once.
    public List<String> specialTokens() {
        Set<String> tokens = new LinkedHashSet<>();
        SPECIALS.forEach(role -> special(role).ifPresent(tokens::add));
        tokens.addAll(additional("additional_special_tokens"));
        // The name in transformers 5; some older files have an object of names here.
        tokens.addAll(additional("extra_special_tokens"));
        tokens.remove("");
        return List.copyOf(tokens);
    }

    private List<String> additional(String name) {
        JsonNode node = root.has(name) ? root.path(name) : specialTokensMap.path(name);
        return node.valueStream().flatMap(token -> content(token).stream()).toList();
    }

    /// The variables for templates: the special tokens that are set.
    public Map<String, Object> templateVariables() {
        Map<String, Object> variables = new LinkedHashMap<>();
        for (String role : SPECIALS) {
            special(role).ifPresent(token -> variables.put(role, token));
        }
        List<String> additional = additional("additional_special_tokens");
        if (!additional.isEmpty()) {
            variables.put("additional_special_tokens", additional);
        }
        return variables;
    }

    /// The tokens added after the vocabulary, by ascending id: those of `added_tokens_decoder`, or
    /// of `added_tokens.json` in older checkpoints without it.
    ///
    /// @throws TokenizerException if an entry has no numeric id or no content
    public List<AddedToken> addedTokens() {
        List<AddedToken> tokens = root.has("added_tokens_decoder") ? decoderTokens() : fileTokens();
        tokens.sort(Comparator.comparingInt(AddedToken::id));
        return tokens;
    }

    private List<AddedToken> decoderTokens() {
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
        return tokens;
    }

    private List<AddedToken> fileTokens() {
        Set<String> specials = Set.copyOf(specialTokens());
        List<AddedToken> tokens = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : ids.properties()) {
            JsonNode id = entry.getValue();
            if (!id.isInt() || id.intValue() < 0) {
                throw new TokenizerException(folder.resolve("added_tokens.json") + ": the token \"" + entry.getKey()
                        + "\" has the id " + id + "; expected a whole number of at least 0");
            }
            boolean isSpecial = specials.contains(entry.getKey());
            tokens.add(new AddedToken(id.intValue(), entry.getKey(), isSpecial, Json.object()));
        }
        return tokens;
    }

    /// A boolean of the config, or `otherwise` if it is absent or null.
    public boolean flag(String name, boolean otherwise) {
        return flag(name).orElse(otherwise);
    }

    /// A boolean of the config, if it is set.
    public Optional<Boolean> flag(String name) {
        JsonNode node = root.path(name);
        return node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty();
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
