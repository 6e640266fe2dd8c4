package io.shadowkv.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Turns token ids that arrive one by one into text, and never shows half a character.
///
/// The pieces handed out, put together, are exactly what [Tokenizer#decode] makes of all the ids. The cost of a
/// token depends on its own length and the unfinished character, not on how many came before. Byte tokens
/// (`<0xE4>`) are held until their run ends, because one bad byte spoils the whole run. A decoder of a kind
/// that must see the whole text hands everything out in [#finish]. Confined to one thread; one for each
/// sequence.
public final class IncrementalDetokenizer {
    private final Vocabulary vocabulary;
    private final List<DetokenizerStage> stages;
    private final Function<List<Integer>, String> wholeDecode;
    private final boolean skipsSpecialTokens;
    private final List<Integer> held = new ArrayList<>();
    private final StringBuilder ready = new StringBuilder();

    private IncrementalDetokenizer(
            Vocabulary vocabulary,
            List<DetokenizerStage> stages,
            Function<List<Integer>, String> wholeDecode,
            boolean skipsSpecialTokens) {
        this.vocabulary = vocabulary;
        this.stages = stages;
        this.wholeDecode = wholeDecode;
        this.skipsSpecialTokens = skipsSpecialTokens;
    }

    /// A detokenizer of fresh stages, at least one.
    public static IncrementalDetokenizer staged(
            Vocabulary vocabulary, List<DetokenizerStage> stages, boolean skipsSpecialTokens) {
        return new IncrementalDetokenizer(vocabulary, List.copyOf(stages), ids -> "", skipsSpecialTokens);
    }

    /// A detokenizer that holds everything for `wholeDecode`.
    public static IncrementalDetokenizer holding(Vocabulary vocabulary, Function<List<Integer>, String> wholeDecode) {
        return new IncrementalDetokenizer(vocabulary, List.of(), wholeDecode, false);
    }

    /// The text that `id` completes; empty if nothing is certain yet, or the id has no token or is skipped.
    ///
    /// @throws IllegalArgumentException if the id is negative
    public String push(int id) {
        if (id < 0) {
            throw new IllegalArgumentException("token id is " + id + "; ids are 0 or more");
        }
        String token = vocabulary.token(id);
        if (token != null && !(skipsSpecialTokens && vocabulary.isSpecial(id))) {
            if (stages.isEmpty()) {
                held.add(id);
            } else {
                push(token, 0);
            }
        }
        return taken();
    }

    /// The text still held, unfinished bytes as U+FFFD. The detokenizer can then be used for another sequence.
    public String finish() {
        for (int stage = 0; stage < stages.size(); stage++) {
            int next = stage + 1;
            stages.get(stage).finish(piece -> push(piece, next));
        }
        if (!held.isEmpty()) {
            ready.append(wholeDecode.apply(held));
            held.clear();
        }
        return taken();
    }

    private void push(String piece, int stage) {
        if (stage == stages.size()) {
            ready.append(piece);
        } else {
            stages.get(stage).push(piece, handed -> push(handed, stage + 1));
        }
    }

    private String taken() {
        String text = ready.toString();
        ready.setLength(0);
        return text;
    }
}
