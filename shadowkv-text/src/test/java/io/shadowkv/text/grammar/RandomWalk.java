package io.shadowkv.text.grammar;

import io.shadowkv.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// Generates as a model without any idea would: a random one of the allowed tokens at each step.
final class RandomWalk {
    /// After so many tokens, the walk looks for an end.
    private static final int FREE_STEPS = 60;

    private static final int MOST_STEPS = 5_000;
    private static final String CLOSERS = "\"}]n";

    private final Grammar grammar;
    private final Random random;
    private final int[] mask;

    RandomWalk(Grammar grammar, Random random) {
        this.grammar = grammar;
        this.random = random;
        this.mask = new int[grammar.vocabulary().maskInts()];
    }

    /// The tokens of one document, without the end.
    List<Integer> tokens() {
        GrammarState state = grammar.start();
        List<Integer> tokens = new ArrayList<>();
        while (tokens.size() < MOST_STEPS) {
            if (!state.mask(mask)) {
                throw new AssertionError("no token is allowed behind " + tokens);
            }
            int id = choose(tokens.size() > FREE_STEPS);
            state.accept(id);
            if (state.isEnded()) {
                return tokens;
            }
            tokens.add(id);
        }
        throw new AssertionError("no end after " + MOST_STEPS + " tokens");
    }

    private int choose(boolean looksForAnEnd) {
        GrammarVocabulary vocabulary = grammar.vocabulary();
        int[] all = IntStream.range(0, vocabulary.size())
                .filter(id -> (mask[id >> 5] >>> id & 1) == 1)
                .toArray();
        int[] closing =
                IntStream.of(all).filter(id -> closes(vocabulary.bytes(id))).toArray();
        if (!looksForAnEnd) {
            return random.nextInt(8) == 0 && closing.length > 0 ? any(closing) : any(all);
        }
        for (int id : closing) {
            if (vocabulary.isEnd(id)) {
                return id;
            }
        }
        // Some texts need a particular character before they can end: an @, or what a pattern asks for.
        int[] single =
                IntStream.of(all).filter(id -> vocabulary.bytes(id).length == 1).toArray();
        if (closing.length > 0 && random.nextInt(4) > 0) {
            return any(closing);
        }
        return any(single.length > 0 ? single : all);
    }

    private static boolean closes(byte[] bytes) {
        return bytes.length == 0 || bytes.length == 1 && CLOSERS.indexOf(bytes[0]) >= 0;
    }

    private int any(int[] ids) {
        return ids[random.nextInt(ids.length)];
    }

    static String decoded(Tokenizer tokenizer, List<Integer> tokens) {
        return tokenizer.decode(tokens.stream().mapToInt(Integer::intValue).toArray(), false);
    }
}
