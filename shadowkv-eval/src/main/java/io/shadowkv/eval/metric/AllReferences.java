package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.List;
import java.util.function.Predicate;

/// A metric that compares the answer with all references together.
///
/// @param name the metric's name
/// @param rule scores an answer against its references, at least one; returns 0 to 1
public record AllReferences(String name, Rule rule) implements Metric {
    /// Scores an answer against all of its references.
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

    /// The share of references for which a condition holds.
    static double share(List<String> references, Predicate<String> isFound) {
        return (double) references.stream().filter(isFound).count() / references.size();
    }
}
