package io.shadowkv.eval.metric;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Cuts Chinese text into words as the Python package jieba 0.42.1 does in its accurate mode, which
/// LongBench uses to count words (fxsjy/jieba, `jieba/__init__.py`, `Tokenizer.cut`). It chooses
/// the most likely sequence of words from a list; [JiebaHmm] cuts the single characters between
/// them.
///
/// Uses about 25 MB and loads in less than a second. Thread-safe. Its output equals jieba's on
/// 60,000 lines of prose, commands and code (docs/ACCURACY.md); the test contains some lines.
public final class JiebaSegmenter implements Segmenter {
    private static final Pattern RUN = Pattern.compile("[\u4E00-\u9FD5a-zA-Z0-9+#&._%-]+");
    private static final Pattern CHINESE = Pattern.compile("[\u4E00-\u9FD5]+");
    private static final Pattern NUMBER_OR_WORD = Pattern.compile("[a-zA-Z0-9]+(?:\\.\\p{Nd}+)?%?");

    private final JiebaWords words;
    private final JiebaHmm names;

    private JiebaSegmenter(JiebaWords words, JiebaHmm names) {
        this.words = words;
        this.names = names;
    }

    public static JiebaSegmenter load() {
        return new JiebaSegmenter(JiebaWords.load(), JiebaHmm.load());
    }

    @Override
    public List<String> cut(String text) {
        List<String> cut = new ArrayList<>();
        pieces(text, RUN, run -> cutRun(run, cut), rest -> cut.addAll(PythonText.characters(rest)));
        return cut;
    }

    private void cutRun(String run, List<String> cut) {
        int[] ends = likeliestEnds(run);
        StringBuilder singles = new StringBuilder();
        for (int start = 0; start < run.length(); start = ends[start]) {
            if (ends[start] == start + 1) {
                singles.append(run.charAt(start));
            } else {
                cutSingles(singles, cut);
                cut.add(run.substring(start, ends[start]));
            }
        }
        cutSingles(singles, cut);
    }

    /// For each position the end of the word that begins there on the most likely path; of equally
    /// likely ones the longest word. A position where no word begins has a single character.
    private int[] likeliestEnds(String run) {
        int[] ends = new int[run.length()];
        double[] likelihood = new double[run.length() + 1];
        for (int start = run.length() - 1; start >= 0; start--) {
            ends[start] = start + 1;
            likelihood[start] = Double.NEGATIVE_INFINITY;
            String word = "";
            for (int end = start + 1; end <= run.length() && words.isBeginning(word); end++) {
                word = run.substring(start, end);
                double through = words.isWord(word) ? words.logShare(word) + likelihood[end] : Double.NEGATIVE_INFINITY;
                if (through > Double.NEGATIVE_INFINITY && through >= likelihood[start]) {
                    likelihood[start] = through;
                    ends[start] = end;
                }
            }
            if (likelihood[start] == Double.NEGATIVE_INFINITY) {
                likelihood[start] = words.logShare(run.substring(start, start + 1)) + likelihood[start + 1];
            }
        }
        return ends;
    }

    /// Cuts the collected single characters and clears them. If together they are one word, which a
    /// more likely path has split, they stay separate.
    private void cutSingles(StringBuilder singles, List<String> cut) {
        String text = singles.toString();
        singles.setLength(0);
        if (text.length() < 2 || words.isWord(text)) {
            cut.addAll(PythonText.characters(text));
            return;
        }
        pieces(
                text,
                CHINESE,
                chinese -> cut.addAll(names.cut(chinese)),
                rest -> pieces(rest, NUMBER_OR_WORD, cut::add, cut::add));
    }

    /// Passes the matches and the text between them to the two consumers, in order.
    private static void pieces(String text, Pattern pattern, Consumer<String> matched, Consumer<String> between) {
        Matcher matcher = pattern.matcher(text);
        int end = 0;
        while (matcher.find()) {
            if (matcher.start() > end) {
                between.accept(text.substring(end, matcher.start()));
            }
            matched.accept(matcher.group());
            end = matcher.end();
        }
        if (end < text.length()) {
            between.accept(text.substring(end));
        }
    }
}
