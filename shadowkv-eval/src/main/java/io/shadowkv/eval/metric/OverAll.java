package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.List;
import java.util.function.Predicate;

/// Looks at all references together.
///
/// @param name the metric's name
/// @param rule an answer and its references, at least one, give 0 to 1
public record OverAll(String name, Rule rule) implements Metric {
    /// Judges an answer by all of its references.
    @FunctionalInterface
    public interface Rule {
        double score(String answer, List<String> references);
    }

    /// @throws IllegalArgumentException if there are no references
    @Override
    public double score(String answer, List<String> references) {
        return rule.score(answer, atLeastOne(references));
    }

    static List<String> atLeastOne(List<String> references) {
        if (references.isEmpty()) {
            throw new IllegalArgumentException("the question has no references; at least one is needed for a score");
        }
        return references;
    }

    /// The share of references for which something holds.
    static double share(List<String> references, Predicate<String> isFound) {
        return (double) references.stream().filter(isFound).count() / references.size();
    }
}
