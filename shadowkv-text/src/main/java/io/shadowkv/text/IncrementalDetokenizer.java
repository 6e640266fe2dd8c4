package io.shadowkv.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Converts token ids that arrive one by one to text, without incomplete characters.
///
/// The returned pieces together are exactly the result of [Tokenizer#decode] for all ids. The cost
/// of a token depends on its length and on the unfinished character, not on the number of earlier
/// tokens. Byte tokens (`<0xE4>`) are held until their run ends, because one invalid byte makes the
/// whole run invalid. If the decoder needs the whole text, [#finish] returns all of it. Confined to
/// one thread; use one per sequence.
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

    /// Creates a detokenizer of new stages, at least one.
    public static IncrementalDetokenizer staged(
            Vocabulary vocabulary, List<DetokenizerStage> stages, boolean skipsSpecialTokens) {
        return new IncrementalDetokenizer(vocabulary, List.copyOf(stages), ids -> "", skipsSpecialTokens);
    }

    /// Creates a detokenizer that holds all ids for `wholeDecode`.
    public static IncrementalDetokenizer holding(Vocabulary vocabulary, Function<List<Integer>, String> wholeDecode) {
        return new IncrementalDetokenizer(vocabulary, List.of(), wholeDecode, false);
    }

    /// The text that `id` completes; empty if no text is final yet, the id has no token, or it is
    /// skipped.
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

    /// The held text, with unfinished bytes as U+FFFD. The detokenizer can then be used for another
    /// sequence.
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
