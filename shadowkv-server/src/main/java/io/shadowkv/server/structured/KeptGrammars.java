package io.shadowkv.server.structured;

import io.shadowkv.text.grammar.Grammar;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The compiled grammars that were used last, within bounds of number and memory. Thread-safe.
final class KeptGrammars {
    static final int MOST_GRAMMARS = 16;
    static final int MOST_KEY_CHARACTERS = 64 << 10;

    /// States of all kept grammars together; a state takes up to a kilobyte.
    static final int MOST_STATES = 400_000;

    /// By the text of their schema, the one that was used least recently first. Guarded by this.
    private final Map<String, Grammar> grammars = new LinkedHashMap<>(16, 0.75f, true);

    /// @param key text of the schema; properties come in its order, so equal objects are not enough
    synchronized Optional<Grammar> get(String key) {
        return Optional.ofNullable(grammars.get(key));
    }

    /// Keeps a grammar unless its key is too long.
    ///
    /// @return the grammar
    synchronized Grammar keep(String key, Grammar grammar) {
        if (key.length() <= MOST_KEY_CHARACTERS) {
            grammars.put(key, grammar);
            while (grammars.size() > MOST_GRAMMARS || states() > MOST_STATES) {
                grammars.remove(grammars.keySet().iterator().next());
            }
        }
        return grammar;
    }

    /// States of all kept grammars.
    synchronized int states() {
        return grammars.values().stream().mapToInt(Grammar::states).sum();
    }

    synchronized int size() {
        return grammars.size();
    }
}
