package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.RandomDraws;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/// Frequent words: coded words whose frequency decreases with the square of their rank; the first
/// one is dots (NVIDIA/RULER and bytedance/ShadowKV, `freq_words_extraction.py`).
///
/// The older version does not count the answer's maximum length, so prompt and answer together may
/// exceed the requested length by that much.
public final class FweGenerator implements Generator {
    private static final int WORD_LETTERS = 6;
    private static final int ANSWERS = 3;
    /// Riemann's zeta function at the exponent, 2.
    private static final double ZETA = Math.PI * Math.PI / 6;

    private final Frame frame;
    private final long seed;
    private final int promptTokens;

    public FweGenerator(Frame frame, long seed) {
        this.frame = frame;
        this.seed = seed;
        promptTokens = frame.isNvidia() ? frame.maxTokens() - frame.newTokens() : frame.maxTokens();
        if (vocabularySize() <= ANSWERS) {
            throw new IllegalArgumentException(String.format(
                    "ruler/fwe with %,d tokens has %d coded words, one for 50 tokens; expected more than %d. Ask for 300"
                            + " tokens or more",
                    frame.maxTokens(), Math.max(0, vocabularySize()), ANSWERS));
        }
    }

    private int vocabularySize() {
        return promptTokens / 50;
    }

    @Override
    public Frame frame() {
        return frame;
    }

    @Override
    public int search(SplittableRandom random) {
        List<String> vocabulary = vocabulary(random);
        int size = promptTokens / WORD_LETTERS;
        while (frame.tokens(draft(vocabulary, size), "") < promptTokens) {
            size += step();
        }
        return size - step();
    }

    @Override
    public Draft draft(int index, int size, SplittableRandom random) {
        return draft(vocabulary(random), size);
    }

    private List<String> vocabulary(SplittableRandom random) {
        Set<String> drawn = new TreeSet<>();
        while (drawn.size() < vocabularySize()) {
            var word = new StringBuilder();
            while (word.length() < WORD_LETTERS) {
                word.append((char) ('a' + random.nextInt(26)));
            }
            drawn.add(word.toString());
        }
        List<String> vocabulary = new ArrayList<>(drawn);
        RandomDraws.shuffle(vocabulary, RandomDraws.random(seed, "ruler, ranks of coded words", 0));
        vocabulary.set(0, "...");
        return vocabulary;
    }

    private Draft draft(List<String> vocabulary, int size) {
        List<String> text = new ArrayList<>();
        for (int rank = 1; rank <= vocabulary.size(); rank++) {
            int count = (int) (size * Math.pow(rank, -2) / ZETA);
            text.addAll(Collections.nCopies(count, vocabulary.get(rank - 1)));
        }
        RandomDraws.shuffle(text, RandomDraws.random(seed, "ruler, order of coded words", 0));
        String user = RulerPrompts.FWE.replace(RulerPrompts.CONTEXT, String.join(" ", text));
        String question = user.substring(user.lastIndexOf('\n') + 1);
        return frame.draft(user, RulerPrompts.FWE_ANSWER, question, vocabulary.subList(1, 1 + ANSWERS));
    }

    @Override
    public int mostTokens() {
        return promptTokens + frame.newTokens();
    }

    @Override
    public int step() {
        return promptTokens / 32;
    }

    @Override
    public int least() {
        return step();
    }
}
