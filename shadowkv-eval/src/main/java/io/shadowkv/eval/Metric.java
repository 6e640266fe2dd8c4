package io.shadowkv.eval;

import java.util.List;

/// Scores an answer against references.
///
/// Any other input (the classes of a classification, the number of choices) is given to the metric
/// when it is created.
public interface Metric {
    /// Name in logs and reports, spelled as in its source; variants from the paper's code begin
    /// with `paper:`.
    String name();

    /// Scores an answer.
    ///
    /// @param answer the unmodified output of the model
    /// @param references right answers; the metric decides whether one or all of them are required
    /// @return 0 to 1
    double score(String answer, List<String> references);
}
