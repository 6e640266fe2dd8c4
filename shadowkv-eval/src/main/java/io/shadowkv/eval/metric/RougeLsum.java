package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// ROUGE-Lsum as computed by Google's `rouge_score` without a stemmer
/// (google-research/google-research, `rouge/rouge_scorer.py`, `_summary_level_lcs`), which
/// InfiniteBench and SCBench use through `evaluate`.
///
/// A line is a sentence; a word is a run of ASCII letters and digits in lower case.
public final class RougeLsum {
    /// The highest F score over the references.
    public static final Metric METRIC = new BestReference("rougeLsum", RougeLsum::f);

    private RougeLsum() {}

    /// The F score; 0 if either text has no word.
    public static double f(String answer, String reference) {
        List<List<String>> answers = sentences(answer);
        List<List<String>> references = sentences(reference);
        Map<String, Integer> answerWords = counts(answers);
        Map<String, Integer> referenceWords = counts(references);
        int answerCount = total(answerWords);
        int referenceCount = total(referenceWords);
        int hits = 0;
        for (List<String> wanted : references) {
            for (String word : inAnySentence(wanted, answers)) {
                if (answerWords.getOrDefault(word, 0) > 0 && referenceWords.getOrDefault(word, 0) > 0) {
                    hits++;
                    answerWords.merge(word, -1, Integer::sum);
                    referenceWords.merge(word, -1, Integer::sum);
                }
            }
        }
        return hits == 0 ? 0 : TokenF1.harmonicMean((double) hits / answerCount, (double) hits / referenceCount);
    }

    /// Words of a sentence that are in a longest common subsequence with any of the other
    /// sentences.
    private static List<String> inAnySentence(List<String> sentence, List<List<String>> others) {
        BitSet places = new BitSet();
        for (List<String> other : others) {
            places.or(CommonSubsequence.placesInFirst(sentence, other, CommonSubsequence.Tie.SHORTENS_FIRST));
        }
        return places.stream().mapToObj(sentence::get).toList();
    }

    private static List<List<String>> sentences(String text) {
        List<List<String>> sentences = new ArrayList<>();
        for (String line : PythonText.split(text, '\n')) {
            if (!line.isEmpty()) {
                sentences.add(PythonText.runs(PythonText.lower(line), RougeLsum::isWordCharacter));
            }
        }
        return sentences;
    }

    private static boolean isWordCharacter(int codePoint) {
        return codePoint >= 'a' && codePoint <= 'z' || codePoint >= '0' && codePoint <= '9';
    }

    private static Map<String, Integer> counts(List<List<String>> sentences) {
        Map<String, Integer> counts = new HashMap<>();
        sentences.forEach(sentence -> sentence.forEach(word -> counts.merge(word, 1, Integer::sum)));
        return counts;
    }

    private static int total(Map<String, Integer> counts) {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }
}
