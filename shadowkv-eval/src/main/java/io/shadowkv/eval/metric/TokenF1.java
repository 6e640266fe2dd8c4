package io.shadowkv.eval.metric;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The overlap of two bags of tokens.
public final class TokenF1 {
    private TokenF1() {}

    /// Harmonic mean of precision and recall over tokens, counted with multiplicity; 0 if the bags
    /// have no token in common.
    public static double f1(List<String> answer, List<String> reference) {
        Map<String, Integer> left = new HashMap<>();
        reference.forEach(token -> left.merge(token, 1, Integer::sum));
        int common = 0;
        for (String token : answer) {
            int count = left.getOrDefault(token, 0);
            if (count > 0) {
                left.put(token, count - 1);
                common++;
            }
        }
        return harmonicMean((double) common / answer.size(), (double) common / reference.size());
    }

    static double harmonicMean(double precision, double recall) {
        return precision > 0 && recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    }
}
