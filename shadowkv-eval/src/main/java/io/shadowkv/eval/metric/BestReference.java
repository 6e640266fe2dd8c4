package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.List;

/// Compares an answer with one reference at a time and returns the highest score.
///
/// @param name the metric's name
/// @param comparison compares an answer with one reference; returns 0 to 1
public record BestReference(String name, Comparison comparison) implements Metric {
    /// Compares an answer with one reference.
    @FunctionalInterface
    public interface Comparison {
        double score(String answer, String reference);
    }

    /// @throws IllegalArgumentException if there are no references
    @Override
    public double score(String answer, List<String> references) {
        return AllReferences.atLeastOne(references).stream()
                .mapToDouble(reference -> comparison.score(answer, reference))
                .max()
                .orElseThrow();
    }

    /// The same metric applied to the answer's first non-empty line only (THUDM/LongBench,
    /// `LongBench/eval.py`).
    public BestReference ofFirstLine() {
        return new BestReference(
                name,
                (answer, reference) -> comparison.score(
                        PythonText.split(PythonText.withoutLeadingLines(answer), '\n')
                                .getFirst(),
                        reference));
    }
}
