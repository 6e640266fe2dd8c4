package io.shadowkv.eval.infinitebench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// ROUGE-L of summaries whose sentences stand one a line: the F value, without stemming (google-research/rouge,
/// `rouge_scorer.py`, `rougeLsum`, which InfiniteBench's and SCBench's scripts call).
final class RougeLsum {
    private static final Pattern OTHER = Pattern.compile("[^a-z0-9]+");

    private RougeLsum() {}

    static double score(String answer, String reference) {
        List<List<String>> wanted = sentences(reference);
        List<List<String>> given = sentences(answer);
        int wantedTokens = wanted.stream().mapToInt(List::size).sum();
        int givenTokens = given.stream().mapToInt(List::size).sum();
        if (wantedTokens == 0 || givenTokens == 0) {
            return 0;
        }
        int hits = hits(wanted, given);
        double precision = (double) hits / givenTokens;
        double recall = (double) hits / wantedTokens;
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    }

    /// Words of the reference that are in a longest common subsequence of their sentence with any of the answer's;
    /// none counts more often than the answer has it.
    private static int hits(List<List<String>> wanted, List<List<String>> given) {
        Map<String, Integer> wantedLeft = counts(wanted);
        Map<String, Integer> givenLeft = counts(given);
        int hits = 0;
        for (List<String> sentence : wanted) {
            BitSet common = new BitSet();
            given.forEach(other -> mark(sentence, other, common));
            for (int i = common.nextSetBit(0); i >= 0; i = common.nextSetBit(i + 1)) {
                String word = sentence.get(i);
                if (givenLeft.getOrDefault(word, 0) > 0 && wantedLeft.getOrDefault(word, 0) > 0) {
                    hits++;
                    givenLeft.merge(word, -1, Integer::sum);
                    wantedLeft.merge(word, -1, Integer::sum);
                }
            }
        }
        return hits;
    }

    /// Marks the places of one longest common subsequence; which one where there are several is the source's rule.
    private static void mark(List<String> sentence, List<String> other, BitSet common) {
        int[][] lengths = new int[sentence.size() + 1][other.size() + 1];
        for (int i = 1; i <= sentence.size(); i++) {
            for (int j = 1; j <= other.size(); j++) {
                lengths[i][j] = sentence.get(i - 1).equals(other.get(j - 1))
                        ? lengths[i - 1][j - 1] + 1
                        : Math.max(lengths[i - 1][j], lengths[i][j - 1]);
            }
        }
        int i = sentence.size();
        int j = other.size();
        while (i > 0 && j > 0) {
            if (sentence.get(i - 1).equals(other.get(j - 1))) {
                common.set(i - 1);
                i--;
                j--;
            } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
                j--;
            } else {
                i--;
            }
        }
    }

    private static Map<String, Integer> counts(List<List<String>> sentences) {
        Map<String, Integer> counts = new HashMap<>();
        sentences.forEach(sentence -> sentence.forEach(word -> counts.merge(word, 1, Integer::sum)));
        return counts;
    }

    private static List<List<String>> sentences(String text) {
        List<List<String>> sentences = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            if (!line.isEmpty()) {
                String words = OTHER.matcher(line.toLowerCase(Locale.ROOT)).replaceAll(" ");
                sentences.add(Arrays.stream(words.split(" ", -1))
                        .filter(word -> !word.isEmpty())
                        .toList());
            }
        }
        return sentences;
    }
}
