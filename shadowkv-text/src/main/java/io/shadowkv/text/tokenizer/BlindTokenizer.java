package io.shadowkv.text.tokenizer;

import io.shadowkv.text.Json;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Vocabulary;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A `tokenizer.json` whose special tokens have secret names instead of their spellings: a spelling
/// in a text is text, and a secret name means the token. One encoding can therefore contain both,
/// and the library splits the text around them as usual.
final class BlindTokenizer implements AutoCloseable {
    private final NativeTokenizer named;
    private final Map<String, String> names;
    private final SpecialTokens added;
    /// Tokens that the library finds only in some positions: as separate words, or after a
    /// normalizer.
    private final Set<String> conditional;
    /// The true ids of the library's ids that differ from them.
    private final Map<Integer, Integer> ids;

    private BlindTokenizer(
            NativeTokenizer named,
            Map<String, String> names,
            SpecialTokens added,
            Set<String> conditional,
            Map<Integer, Integer> ids) {
        this.named = named;
        this.names = names;
        this.added = added;
        this.conditional = conditional;
        this.ids = ids;
    }

    /// @param root is modified
    /// @param source names the file in messages
    static BlindTokenizer of(ObjectNode root, Object source) {
        Map<String, String> names = new HashMap<>();
        Set<String> conditional = new HashSet<>();
        for (JsonNode token : root.path("added_tokens")) {
            String spelling = token.path("content").asString("");
            if (token.path("special").asBoolean(false) && !spelling.isEmpty()) {
                names.put(spelling, "\ufffe" + UUID.randomUUID());
                boolean isSingle = token.path("single_word").asBoolean(false);
                if (isSingle || token.path("normalized").asBoolean(false)) {
                    conditional.add(spelling);
                }
            }
        }
        List<String> spellings = root.path("added_tokens")
                .valueStream()
                .map(token -> token.path("content").asString(""))
                .toList();
        Vocabulary before = JsonTokenizer.vocabulary(root, source);
        rename(root, names);
        Vocabulary after = JsonTokenizer.vocabulary(root, source);
        Map<Integer, Integer> ids = new HashMap<>();
        for (String spelling : spellings) {
            int given = after.id(names.getOrDefault(spelling, spelling)).orElse(-1);
            int right = before.id(spelling).orElse(-1);
            if (given != right) {
                ids.put(given, right);
            }
        }
        NativeTokenizer named = NativeTokenizer.of(Json.text(root), source);
        return new BlindTokenizer(named, names, SpecialTokens.of(spellings), conditional, ids);
    }

    private static void rename(ObjectNode root, Map<String, String> names) {
        for (JsonNode token : root.path("added_tokens")) {
            if (token instanceof ObjectNode object) {
                String spelling = token.path("content").asString("");
                object.put("content", names.getOrDefault(spelling, spelling));
            }
        }
        // Nothing is added around a text, and the post-processor would not find the new names.
        root.putNull("post_processor");
        if (!(root.path("model") instanceof ObjectNode model)) {
            return;
        }
        String unknown = model.path("unk_token").asString("");
        if (names.containsKey(unknown) && unknown.length() > 1) {
            model.put("unk_token", names.get(unknown));
        }
        JsonNode vocabulary = model.path("vocab");
        Set<String> renamed = new HashSet<>(names.keySet());
        // A text needs the single-character tokens to write these characters.
        renamed.removeIf(spelling -> spelling.codePointCount(0, spelling.length()) == 1);
        if (vocabulary instanceof ObjectNode tokens) {
            renamed.forEach(spelling -> {
                JsonNode id = tokens.remove(spelling);
                if (id != null) {
                    tokens.set(names.get(spelling), id);
                }
            });
        }
        for (JsonNode piece : vocabulary) {
            if (piece instanceof ArrayNode scored
                    && renamed.contains(piece.path(0).asString(""))) {
                scored.set(0, names.get(piece.path(0).asString("")));
            }
        }
        if (model.path("merges") instanceof ArrayNode merges) {
            model.set("merges", withoutSpecials(merges, renamed));
        }
    }

    /// The merges that neither use nor produce the spelling of a special token, because text must
    /// not become one.
    private static ArrayNode withoutSpecials(ArrayNode merges, Set<String> spellings) {
        ArrayNode kept = merges.arrayNode();
        for (JsonNode merge : merges) {
            String text = merge.asString("");
            int blank = text.indexOf(' ');
            String left = merge.isArray() ? merge.path(0).asString("") : text.substring(0, Math.max(0, blank));
            String right = merge.isArray() ? merge.path(1).asString("") : text.substring(blank + 1);
            boolean isSpecial =
                    spellings.contains(left) || spellings.contains(right) || spellings.contains(left + right);
            if (!isSpecial) {
                kept.add(merge);
            }
        }
        return kept;
    }

    /// Ids of a text without any special token.
    int[] encode(String text) {
        int[] encoded = named.encode(text, false);
        for (int i = 0; i < encoded.length; i++) {
            encoded[i] = ids.getOrDefault(encoded[i], encoded[i]);
        }
        return encoded;
    }

    /// @param recognising the same tokenizer with the original spellings
    int[] encode(MarkedText marked, NativeTokenizer recognising) {
        String text = NativeTokenizer.wellFormed(marked.text());
        Set<Integer> literals = Set.copyOf(marked.literals());
        StringBuilder renamed = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int length = literals.contains(at) ? 0 : added.longestAt(text, at);
            String spelling = text.substring(at, at + length);
            boolean isMark = names.containsKey(spelling) && isFound(text, at, spelling, recognising);
            int step = length > 0 && (isMark || !names.containsKey(spelling)) ? length : 1;
            renamed.append(isMark ? names.get(spelling) : text.substring(at, at + step));
            at += step;
        }
        return encode(renamed.toString());
    }

    /// True if the library recognizes the spelling here as the token, which depends on the
    /// neighbouring characters.
    private boolean isFound(String text, int at, String spelling, NativeTokenizer recognising) {
        if (!conditional.contains(spelling)) {
            return true;
        }
        int begin = at == 0 ? 0 : text.offsetByCodePoints(at, -1);
        int end = at + spelling.length();
        int behind = end == text.length() ? end : text.offsetByCodePoints(end, 1);
        int id = encode(Objects.requireNonNull(names.get(spelling)))[0];
        for (int found : recognising.encode(text.substring(begin, behind), false)) {
            if (found == id) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        named.close();
    }
}
