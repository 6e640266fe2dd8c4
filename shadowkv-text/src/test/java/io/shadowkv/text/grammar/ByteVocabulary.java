package io.shadowkv.text.grammar;

import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A vocabulary of the 256 bytes and an end, to ask grammars about texts.
final class ByteVocabulary {
    static final int END = 256;

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private ByteVocabulary() {}

    static GrammarVocabulary vocabulary() {
        return GrammarVocabulary.of(257, id -> id == END ? new byte[0] : new byte[] {(byte) id}, END);
    }

    static JsonNode json(String text) {
        return MAPPER.readTree(text);
    }

    static Grammar grammar(String schema) {
        return Grammar.of(json(schema), vocabulary());
    }

    /// Whether a whole text is in the grammar; each step is asked of `allows` and of the mask.
    static boolean matches(Grammar grammar, byte[] text) {
        GrammarState state = grammar.start();
        int[] mask = new int[grammar.vocabulary().maskInts()];
        for (byte value : text) {
            int id = value & 0xff;
            state.mask(mask);
            boolean isInMask = (mask[id >> 5] & 1 << id) != 0;
            if (isInMask != state.allows(id)) {
                throw new AssertionError("mask and allows differ at byte " + id);
            }
            if (!isInMask) {
                return false;
            }
            state.accept(id);
        }
        return state.isComplete();
    }

    static boolean matches(Grammar grammar, String text) {
        return matches(grammar, text.getBytes(StandardCharsets.UTF_8));
    }
}
