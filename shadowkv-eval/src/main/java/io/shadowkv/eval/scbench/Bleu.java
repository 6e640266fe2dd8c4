package io.shadowkv.eval.scbench;

import io.shadowkv.eval.metric.PythonText;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How much of a function another text repeats: BLEU-4 over its words with one reference and the
/// fourth smoothing method of Chen and Cherry 2014 (microsoft/MInference,
/// `scbench/repo_qa_utils.py`, `compute_function_similarity`; nltk/nltk,
/// `nltk/translate/bleu_score.py`).
final class Bleu {
    private static final int ORDERS = 4;
    private static final double SMOOTHING = 5;

    private Bleu() {}

    static double similarity(String candidate, String reference) {
        List<String> given = words(candidate);
        List<String> wanted = words(reference);
        double logarithms = 0;
        int empty = 0;
        for (int order = 1; order <= ORDERS; order++) {
            int matches = matches(given, wanted, order);
            if (order == 1 && matches == 0) {
                return 0;
            }
            double precision = matches;
            if (matches == 0 && given.size() > 1) {
                empty++;
                precision = Math.log(given.size()) / (Math.pow(2, empty) * SMOOTHING);
            }
            // A single word has no pairs; their precision is left out.
            if (precision > 0) {
                logarithms += Math.log(precision / Math.max(1, given.size() - order + 1)) / ORDERS;
            }
        }
        double brevity = given.size() > wanted.size() ? 1 : Math.exp(1 - (double) wanted.size() / given.size());
        return brevity * Math.exp(logarithms);
    }

    private static int matches(List<String> given, List<String> wanted, int order) {
        Map<List<String>, Integer> left = new HashMap<>();
        for (int i = 0; i + order <= wanted.size(); i++) {
            left.merge(wanted.subList(i, i + order), 1, Integer::sum);
        }
        int matches = 0;
        for (int i = 0; i + order <= given.size(); i++) {
            List<String> words = given.subList(i, i + order);
            int count = left.getOrDefault(words, 0);
            if (count > 0) {
                left.put(words, count - 1);
                matches++;
            }
        }
        return matches;
    }

    private static List<String> words(String function) {
        List<String> words = PythonText.split(function);
        return words.isEmpty() ? List.of("") : words;
    }
}
