package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The tokens that one state allows, whatever called its rule. Immutable.
///
/// @param plainText with how many characters at most all plain tokens are allowed, or -1
/// @param set the allowed tokens if they are many, else empty
/// @param ids the allowed tokens if they are few
/// @param plainExits nodes of the vocabulary's plain tokens at which the rule has matched and
///     tokens go on
/// @param restExits the same of its other tokens
record LocalMask(int plainText, int[] set, int[] ids, int[] plainExits, int[] restExits) {
    static final int NO_PLAIN_TEXT = -1;

    /// Walks the vocabulary from a state.
    static LocalMask of(State state, int count, GrammarVocabulary vocabulary) {
        Positions start = Positions.at(state, count);
        IntStream.Builder allowed = IntStream.builder();
        IntStream.Builder plainExits = IntStream.builder();
        IntStream.Builder restExits = IntStream.builder();
        int plainText = NO_PLAIN_TEXT;
        if (state.isTextLoop()) {
            plainText = left(state.counter(), count);
        } else {
            vocabulary.plain().walk(start, allowed::add, plainExits::add);
        }
        vocabulary.rest().walk(start, allowed::add, restExits::add);
        int[] ids = allowed.build().toArray();
        int[] exits = plainExits.build().toArray();
        int[] otherExits = restExits.build().toArray();
        if (ids.length <= vocabulary.maskInts()) {
            return new LocalMask(plainText, new int[0], ids, exits, otherExits);
        }
        int[] set = new int[vocabulary.maskInts()];
        for (int id : ids) {
            set[id >> 5] |= 1 << id;
        }
        return new LocalMask(plainText, set, new int[0], exits, otherExits);
    }

    private static int left(@Nullable Counter counter, int count) {
        return counter == null || counter.max() == Counter.UNBOUNDED ? Counter.UNBOUNDED : counter.max() - count;
    }

    boolean hasExits() {
        return plainExits.length > 0 || restExits.length > 0;
    }

    long bytes() {
        return 4L * (set.length + ids.length + plainExits.length + restExits.length) + 100;
    }

    /// Adds the tokens to a set.
    void addTo(int[] bits, GrammarVocabulary vocabulary) {
        if (plainText >= 0) {
            add(vocabulary.plainUpTo(plainText), bits);
        }
        add(set, bits);
        for (int id : ids) {
            bits[id >> 5] |= 1 << id;
        }
    }

    private static void add(int[] more, int[] bits) {
        for (int i = 0; i < more.length; i++) {
            bits[i] |= more[i];
        }
    }
}
