package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.RandomDraws;
import java.util.List;
import java.util.SplittableRandom;

/// Variable tracking: a chain of assignments between filler lines, after one worked example. The
/// question asks for all names of the chain (NVIDIA/RULER and bytedance/ShadowKV,
/// `variable_tracking.py`).
///
/// Unlike in the original, the names of one text are distinct.
public final class VtGenerator implements Generator {
    private static final int NAME_LETTERS = 5;
    // The older version draws again and never reduces the size, so it may not end; here the size is
    // reduced after this number of draws.
    private static final int REDRAWS = 16;

    private final Frame frame;
    private final VtExample example;

    public VtGenerator(Frame frame, long seed) {
        this.frame = frame;
        example = VtExample.make(frame, RandomDraws.random(seed, "ruler, worked example of vt", 0));
    }

    @Override
    public Frame frame() {
        return frame;
    }

    @Override
    public int search(SplittableRandom random) {
        var search = new SizeSearch(step(), Integer.MAX_VALUE, true, step(), 3, frame.newTokens() + example.tokens());
        return frame.isNvidia()
                ? search.bisecting(frame.maxTokens(), size -> tokens(chain(size, random), ""))
                : search.stepping(frame.maxTokens(), size -> {
                    VtChain chain = chain(size, random);
                    return tokens(chain, " " + RulerPrompts.pythonList(chain.names()));
                });
    }

    private int tokens(VtChain chain, String more) {
        return frame.tokens(draft("", chain), more);
    }

    private static VtChain chain(int size, SplittableRandom random) {
        return VtChain.draw(NAME_LETTERS, size, random);
    }

    private Draft draft(String lead, VtChain chain) {
        String task = chain.fill(RulerPrompts.VT, frame.isNvidia());
        String question = task.substring(task.lastIndexOf('\n') + 1);
        return frame.draft(lead + task, chain.prefix(frame.version()), question, chain.names());
    }

    @Override
    public Draft draft(int index, int size, SplittableRandom random) {
        VtChain chain = chain(size, random);
        return draft(example.lead(random), chain);
    }

    /// The older version counts the example separately, without the spaces around it.
    @Override
    public int length(Draft draft) {
        if (frame.isNvidia()) {
            return frame.length(draft);
        }
        String task = draft.user().substring(draft.user().lastIndexOf(RulerPrompts.VT.substring(0, 20)));
        return frame.length(frame.draft(task, draft.prefix(), draft.question(), draft.answers())) + example.tokens();
    }

    @Override
    public int step() {
        return frame.isNvidia() && frame.maxTokens() < 4096 ? 5 : 10;
    }

    @Override
    public int least() {
        return VtChain.NAMES;
    }

    @Override
    public int redraws() {
        return frame.isNvidia() ? 0 : REDRAWS;
    }

    /// The worked example: the same text in every row, except that NVIDIA's version draws new names
    /// and a new value.
    ///
    /// @param frame with the version
    /// @param chain with its first names
    /// @param template text of the example
    /// @param tokens number of tokens of the example
    private record VtExample(Frame frame, VtChain chain, String template, int tokens) {
        private static final int MOST_TOKENS = 500;
        private static final int LETTERS = 3;
        private static final int STEP = 5;
        private static final String FIRST_VALUE = "12345";

        static VtExample make(Frame frame, SplittableRandom random) {
            String template = template(frame);
            VtChain chain = fitting(frame, template, random);
            return new VtExample(frame, chain, template, frame.pieceTokens(text(frame, template, chain)));
        }

        /// The older version extracts the example from the text with the chat template: runs of
        /// whitespace become one space, and the last word is removed, together with the part of the
        /// template attached to it.
        private static String template(Frame frame) {
            if (frame.isNvidia()) {
                return RulerPrompts.VT;
            }
            var wrapper = frame.template();
            String words = (RulerPrompts.VT + (wrapper == null ? "" : wrapper.after())).strip();
            List<String> split = List.of(words.split("\\s+"));
            return String.join(" ", split.subList(0, split.size() - 1));
        }

        private static VtChain fitting(Frame frame, String template, SplittableRandom random) {
            if (!frame.isNvidia()) {
                var search = new SizeSearch(STEP, Integer.MAX_VALUE, true, STEP, 3, frame.newTokens());
                int size = search.stepping(MOST_TOKENS, lines -> {
                    VtChain chain = VtChain.draw(LETTERS, lines, random);
                    return frame.pieceTokens(
                            input(frame, template, chain) + " " + RulerPrompts.pythonList(chain.names()));
                });
                return VtChain.draw(LETTERS, Math.max(size, STEP), random);
            }
            var search = new SizeSearch(STEP, Integer.MAX_VALUE, true, STEP, 3, 0);
            int size = search.bisecting(
                    MOST_TOKENS, lines -> frame.pieceTokens(input(frame, template, first(lines, random))));
            VtChain chain = first(size, random);
            while (size > STEP && frame.pieceTokens(input(frame, template, chain)) > MOST_TOKENS) {
                size -= STEP;
                chain = first(Math.max(size, VtChain.NAMES), random);
            }
            return chain;
        }

        private static VtChain first(int lines, SplittableRandom random) {
            VtChain chain = VtChain.draw(LETTERS, lines, random);
            return chain.renamed(chain.names(), FIRST_VALUE);
        }

        private static String input(Frame frame, String template, VtChain chain) {
            return chain.fill(template, frame.isNvidia()) + chain.prefix(frame.version());
        }

        private static String text(Frame frame, String template, VtChain chain) {
            return input(frame, template, chain) + " " + String.join(" ", chain.names())
                    + (frame.isNvidia() ? "\n" : "\n\n");
        }

        /// The text before a row's own text.
        String lead(SplittableRandom random) {
            if (!frame.isNvidia()) {
                return " " + text(frame, template, chain) + "\n\n";
            }
            VtChain other = VtChain.draw(LETTERS, chain.lines(), random);
            return text(frame, template, chain.renamed(other.names(), other.value())) + "\n";
        }
    }
}
