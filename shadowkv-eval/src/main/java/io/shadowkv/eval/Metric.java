package io.shadowkv.eval;

import java.util.List;

/// Judges an answer against references.
///
/// Whatever else it needs (the classes of a classification, the number of choices) it was made with.
public interface Metric {
    /// Its name in logs and reports, as its source spells it; variants of the paper's own code begin with
    /// `paper:`.
    String name();

    /// @param answer what the model wrote, as it came
    /// @param references right answers; whether one or all are wanted is the metric's rule
    /// @return 0 to 1
    double score(String answer, List<String> references);
}
