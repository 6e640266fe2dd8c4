package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.RandomDraws;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Common words: a numbered list in which ten words appear more often than the others, after one
/// worked example in the chat template (NVIDIA/RULER and bytedance/ShadowKV,
/// `common_words_extraction.py`).
///
/// If a tokenizer needs so many tokens that 30 repeats leave no room for other words than the
/// common ones, the list is made as for contexts below 4,096 tokens; the original would never end
/// its search.
public final class CweGenerator implements Generator {
    private static final int COMMON = 10;
    private static final int STEP = 10;
    private static final int ESTIMATE_WORDS = 4096;

    private final Frame frame;
    private final RulerWords words;
    private final long seed;
    private final Repeats repeats;

    public CweGenerator(Frame frame, RulerWords words, long seed) {
        this.frame = frame;
        this.words = words;
        this.seed = seed;
        SplittableRandom random = RandomDraws.random(seed, "ruler, room for words", 0);
        boolean isShort =
                frame.maxTokens() < 4096 || length(draft(COMMON + STEP, Repeats.LONG, random)) > frame.maxTokens();
        repeats = isShort ? Repeats.SHORT : Repeats.LONG;
    }

    /// Number of appearances of common and other words, and number of words in the example and
    /// their appearances.
    private enum Repeats {
        LONG(30, 3, 40, 10, 3),
        SHORT(6, 1, 20, 3, 1);

        final int common;
        final int others;
        final int exampleWords;
        final int exampleCommon;
        final int exampleOthers;

        Repeats(int common, int others, int exampleWords, int exampleCommon, int exampleOthers) {
            this.common = common;
            this.others = others;
            this.exampleWords = exampleWords;
            this.exampleCommon = exampleCommon;
            this.exampleOthers = exampleOthers;
        }
    }

    /// A list and its ten common words.
    private record Listed(String text, List<String> common) {}

    @Override
    public Frame frame() {
        return frame;
    }

    @Override
    public int search(SplittableRandom random) {
        int overhead = frame.newTokens();
        return frame.isNvidia()
                ? new SizeSearch(STEP, Integer.MAX_VALUE, false, ESTIMATE_WORDS, 2, overhead)
                        .bisecting(frame.maxTokens(), size -> frame.tokens(draft(0, size, random), ""))
                : new SizeSearch(STEP, words.all().size(), false, STEP, 3, overhead)
                        .stepping(frame.maxTokens(), size -> {
                            Draft draft = draft(0, size, random);
                            return frame.tokens(draft, " " + RulerPrompts.numbered(draft.answers()));
                        });
    }

    @Override
    public Draft draft(int index, int size, SplittableRandom random) {
        return draft(size, repeats, random);
    }

    private Draft draft(int size, Repeats times, SplittableRandom random) {
        Listed example = list(times.exampleWords, times.exampleCommon, times.exampleOthers, random);
        Listed listed = list(size, times.common, times.others, random);
        String prefix = RulerPrompts.CWE_ANSWER;
        String input = frame.wrap(fill(example)) + prefix + (frame.isNvidia() ? " " : "")
                + RulerPrompts.numbered(example.common()) + "\n" + frame.wrap(fill(listed));
        String question = RulerPrompts.CWE.substring(RulerPrompts.CWE.lastIndexOf('\n') + 1);
        return frame.whole(input, prefix, question, listed.common());
    }

    private static String fill(Listed listed) {
        return RulerPrompts.CWE.replace(RulerPrompts.CONTEXT, listed.text());
    }

    /// The order is shuffled in the same way in every list of the same length.
    private Listed list(int different, int commonTimes, int otherTimes, SplittableRandom random) {
        List<String> drawn = words.different(different, random);
        List<String> common = drawn.subList(0, COMMON);
        List<String> list = new ArrayList<>();
        for (int i = 0; i < commonTimes; i++) {
            list.addAll(common);
        }
        for (int i = 0; i < otherTimes; i++) {
            list.addAll(drawn.subList(COMMON, different));
        }
        RandomDraws.shuffle(list, RandomDraws.random(seed, "ruler, order of words", 0));
        return new Listed(RulerPrompts.numbered(list), common);
    }

    @Override
    public int step() {
        return STEP;
    }

    @Override
    public int least() {
        return COMMON;
    }
}
