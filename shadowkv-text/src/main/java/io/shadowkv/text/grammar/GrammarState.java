package io.shadowkv.text.grammar;

import java.util.Arrays;

/// Where one sequence stands in its grammar. Confined to one thread; [#copy] costs nothing.
public final class GrammarState {
    private final Grammar grammar;
    private Positions positions;
    private boolean isEnded;

    GrammarState(Grammar grammar, Positions positions, boolean isEnded) {
        this.grammar = grammar;
        this.positions = positions;
        this.isEnded = isEnded;
    }

    /// Whether `tokenId` may come next.
    public boolean allows(int tokenId) {
        if (grammar.vocabulary().isEnd(tokenId)) {
            return isComplete() && !isEnded;
        }
        return !behind(tokenId).isNone();
    }

    /// Goes on by one token.
    ///
    /// @throws IllegalArgumentException if the grammar does not allow it; the state is then
    ///     unchanged
    public void accept(int tokenId) {
        if (!allows(tokenId)) {
            throw new IllegalArgumentException("token " + tokenId + " is not allowed here"
                    + (isEnded ? ": the sequence has ended" : "") + ". Choose from the mask");
        }
        if (grammar.vocabulary().isEnd(tokenId)) {
            isEnded = true;
        } else {
            positions = behind(tokenId);
        }
    }

    /// Whether the text so far is a whole value of the schema. It may still be possible to go on:
    /// `1` is whole, and so is `12`.
    public boolean isComplete() {
        return positions.isDone();
    }

    /// Whether an end of sequence has been accepted.
    public boolean isEnded() {
        return isEnded;
    }

    /// Fills a set of tokens with those that may come next: bit `id & 31` of `bits[id >> 5]`. All
    /// other bits become 0. Ends of sequence are among them where the text is complete.
    ///
    /// @param bits at least [GrammarVocabulary#maskInts] long
    /// @return whether any token may come next. After an end of sequence there is none. Before one,
    ///     there always is one if the vocabulary has a token for each byte, or the characters that
    ///     the schema names
    /// @throws IllegalArgumentException if `bits` is too short
    public boolean mask(int[] bits) {
        GrammarVocabulary vocabulary = grammar.vocabulary();
        if (bits.length < vocabulary.maskInts()) {
            throw new IllegalArgumentException("the set has " + bits.length + " ints; the vocabulary of "
                    + vocabulary.size() + " tokens needs " + vocabulary.maskInts());
        }
        Arrays.fill(bits, 0);
        if (isEnded) {
            return false;
        }
        grammar.masks().addTo(bits, positions);
        if (positions.isDone()) {
            for (int end : vocabulary.endOfSequence()) {
                bits[end >> 5] |= 1 << end;
            }
        }
        for (int word : bits) {
            if (word != 0) {
                return true;
            }
        }
        return false;
    }

    /// A state at the same place that goes its own way.
    public GrammarState copy() {
        return new GrammarState(grammar, positions, isEnded);
    }

    private Positions behind(int tokenId) {
        byte[] bytes = grammar.vocabulary().bytes(tokenId);
        if (bytes.length == 0 || isEnded) {
            return Positions.NONE;
        }
        Positions next = positions;
        for (byte value : bytes) {
            next = next.next(value & 0xff);
        }
        return next;
    }
}
