package io.shadowkv.text;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The tokens of a tokenizer by id, and the ids by token, including added tokens. Immutable.
public final class Vocabulary {
    /// A file with a higher id is refused before memory is allocated for it; the largest known
    /// vocabulary has 262,144 tokens.
    public static final int HIGHEST_ID = (1 << 24) - 1;

    private final @Nullable String[] tokens;
    private final Map<String, Integer> ids;
    private final Set<String> specials;

    private Vocabulary(@Nullable String[] tokens, Map<String, Integer> ids, Set<String> specials) {
        this.tokens = tokens;
        this.ids = ids;
        this.specials = specials;
    }

    /// The highest id plus one.
    public int size() {
        return tokens.length;
    }

    public @Nullable String token(int id) {
        return id >= 0 && id < tokens.length ? tokens[id] : null;
    }

    public OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /// The spellings of the special tokens.
    public Set<String> specials() {
        return specials;
    }

    public boolean isSpecial(int id) {
        String token = token(id);
        return token != null && specials.contains(token);
    }

    /// Collects tokens; an added token replaces the model's token of the same id.
    public static final class Builder {
        private final Map<String, Integer> model = new HashMap<>();
        private final Map<String, Integer> added = new HashMap<>();
        private final Set<String> specials = new HashSet<>();
        private int highestModel = -1;
        private int highestAdded = -1;

        /// Adds a token of the model.
        ///
        /// @throws IllegalArgumentException if the id is outside 0..[#HIGHEST_ID]
        public void model(String token, long id) {
            model.put(token, checked(token, id));
            highestModel = Math.max(highestModel, (int) id);
        }

        boolean isInModel(String token) {
            return model.containsKey(token);
        }

        /// Adds a token at the given id.
        public void added(String token, long id, boolean isSpecial) {
            added.put(token, checked(token, id));
            highestAdded = Math.max(highestAdded, (int) id);
            if (isSpecial) {
                specials.add(token);
            }
        }

        /// Adds a token as the tokenizers library does: at the model's id of the same token,
        /// otherwise after all others. The library ignores the id in the file.
        public void added(String token, boolean isSpecial) {
            if (token.isEmpty()) {
                return;
            }
            Integer id = added.containsKey(token) ? added.get(token) : model.get(token);
            added(token, id == null ? Math.max(model.size(), highestAdded + 1) : id, isSpecial);
        }

        public Vocabulary build() {
            @Nullable String[] tokens = new @Nullable String[Math.max(highestModel, highestAdded) + 1];
            Map<String, Integer> ids = new HashMap<>(model);
            ids.putAll(added);
            model.forEach((token, id) -> tokens[id] = token);
            added.forEach((token, id) -> tokens[id] = token);
            return new Vocabulary(tokens, ids, Set.copyOf(specials));
        }

        private static int checked(String token, long id) {
            if (id < 0 || id > HIGHEST_ID) {
                throw new IllegalArgumentException(
                        "token \"" + token + "\" has id " + id + "; expected 0 to " + HIGHEST_ID);
            }
            return (int) id;
        }
    }
}
