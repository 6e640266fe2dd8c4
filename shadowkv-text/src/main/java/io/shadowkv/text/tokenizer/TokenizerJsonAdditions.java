package io.shadowkv.text.tokenizer;

import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.Vocabulary;
import io.shadowkv.text.tokenizer.TemplateProcessing.Token;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Adds the contents of the other files of the folder to a `tokenizer.json`, like transformers when
/// it opens one (`PreTrainedTokenizerFast.__init__`): tokens that only these files have, and the
/// tokens around a text.
final class TokenizerJsonAdditions {
    /// Classes whose `add_bos_token` and `add_eos_token` transformers 4 uses when it reads a
    /// `tokenizer.json`.
    private static final Set<String> CLASSES =
            Set.of("LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer", "CohereTokenizer", "GPTNeoXTokenizer", "");

    private static final List<String> FLAGS = List.of("lstrip", "rstrip", "single_word", "normalized");

    private final ObjectNode root;
    private final Map<String, ObjectNode> added = new LinkedHashMap<>();
    private boolean isChanged;

    private TokenizerJsonAdditions(ObjectNode root) {
        this.root = root;
        for (JsonNode token : root.path("added_tokens")) {
            if (token instanceof ObjectNode object) {
                added.put(token.path("content").asString(""), object);
            }
        }
    }

    /// Adds the tokens; returns true if something changed.
    ///
    /// @throws io.shadowkv.text.TokenizerException if the config's tokens are malformed
    static boolean addTokens(ObjectNode root, TokenizerConfig config) {
        TokenizerJsonAdditions additions = new TokenizerJsonAdditions(root);
        for (TokenizerConfig.AddedToken token : config.addedTokens()) {
            additions.add(token.content(), token.id(), token.isSpecial(), token.json());
        }
        for (String token : config.specialTokens()) {
            additions.add(token, -1, true, root.objectNode());
        }
        return additions.isChanged;
    }

    /// Adds a token; an existing token keeps its position and the properties that the config does
    /// not set.
    private void add(String content, int id, boolean isSpecial, JsonNode flags) {
        ObjectNode token = added.get(content);
        if (token == null) {
            token = root.objectNode().put("id", Math.max(0, id)).put("content", content);
            token.put("single_word", false).put("lstrip", false).put("rstrip", false);
            token.put("normalized", !isSpecial).put("special", isSpecial);
            ArrayNode tokens =
                    root.path("added_tokens") instanceof ArrayNode array ? array : root.putArray("added_tokens");
            tokens.add(token);
            added.put(content, token);
            isChanged = true;
        }
        for (String flag : FLAGS) {
            if (flags.path(flag).isBoolean()
                    && flags.path(flag).asBoolean() != token.path(flag).asBoolean(false)) {
                token.put(flag, flags.path(flag).asBoolean());
                isChanged = true;
            }
        }
        if (isSpecial && !token.path("special").asBoolean(false)) {
            token.put("special", true);
            isChanged = true;
        }
    }

    /// Adds the begin and end tokens around texts if the config says so; returns true if something
    /// changed.
    ///
    /// If `add_bos_token` or `add_eos_token` of `tokenizer_config.json` contradicts
    /// `tokenizer.json`, transformers 4 follows the former for some classes, and transformers 5
    /// follows the latter for all. This class follows transformers 4: models with such files (the
    /// R1 distillations of Llama and Qwen) were published and measured with it, and TGI and
    /// llama.cpp add the token too.
    static boolean addEnds(ObjectNode root, TokenizerConfig config, Vocabulary vocabulary) {
        Optional<Boolean> begins = config.flag("add_bos_token");
        Optional<Boolean> ends = config.flag("add_eos_token");
        String name = config.root().path("tokenizer_class").asString("");
        String family = name.endsWith("Fast") ? name.substring(0, name.length() - "Fast".length()) : name;
        if (begins.isEmpty() && ends.isEmpty() || !CLASSES.contains(family)) {
            return false;
        }
        JsonNode given = root.path("post_processor");
        List<Token> before = ends(config, "bos_token", begins, given, vocabulary);
        List<Token> after = ends(config, "eos_token", ends, given, vocabulary);
        ObjectNode wanted = TemplateProcessing.of(before, after);
        if (wanted.path("single").equals(given.path("single"))) {
            return false;
        }
        root.set("post_processor", wanted);
        return true;
    }

    private static List<Token> ends(
            TokenizerConfig config, String role, Optional<Boolean> flag, JsonNode given, Vocabulary vocabulary) {
        String token = config.special(role).orElse("");
        OptionalInt id = vocabulary.id(token);
        boolean isBefore = role.equals("bos_token");
        boolean isAdded = flag.orElseGet(() -> TemplateProcessing.adds(given, token, isBefore));
        return isAdded && id.isPresent() ? List.of(new Token(token, id.getAsInt())) : List.of();
    }
}
