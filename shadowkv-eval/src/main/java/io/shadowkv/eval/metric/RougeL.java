package io.shadowkv.eval.metric;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// ROUGE-L as computed by the Python package `rouge` 1.0 (pltrdy/rouge, `rouge/rouge_score.py`,
/// `rouge_l_summary_level` with `exclusive`), which LongBench uses.
///
/// It differs from Google's implementation: sentences end at full stops, words keep their case and
/// punctuation, and lengths are counted in distinct words.
final class RougeL {
    private static final double EPSILON = 1e-8;

    private RougeL() {}

    /// The F score; 0 if either text has no sentence, as in LongBench. (For sentences of about a
    /// thousand words together Python exceeds its recursion limit, and LongBench scores 0; this
    /// implementation computes their score.)
    static double f(String answer, String reference) {
        List<List<String>> answers = sentences(answer);
        List<List<String>> references = sentences(reference);
        if (answers.isEmpty() || references.isEmpty()) {
            return 0;
        }
        Set<String> common = new HashSet<>();
        for (List<String> wanted : references) {
            for (List<String> found : answers) {
                CommonSubsequence.placesInFirst(wanted, found, CommonSubsequence.Tie.SHORTENS_SECOND).stream()
                        .mapToObj(wanted::get)
                        .forEach(common::add);
            }
        }
        double recall = (double) common.size() / differentWords(references);
        double precision = (double) common.size() / differentWords(answers);
        return 2 * (precision * recall / (precision + recall + EPSILON));
    }

    /// Words between full stops. A sentence of spaces has one word, the empty one.
    private static List<List<String>> sentences(String text) {
        List<List<String>> sentences = new ArrayList<>();
        for (String sentence : PythonText.split(text, '.')) {
            if (!sentence.isEmpty()) {
                List<String> words = PythonText.split(sentence);
                sentences.add(words.isEmpty() ? List.of("") : words);
            }
        }
        return sentences;
    }

    private static int differentWords(List<List<String>> sentences) {
        Set<String> words = new HashSet<>();
        sentences.forEach(words::addAll);
        return words.size();
    }
}
