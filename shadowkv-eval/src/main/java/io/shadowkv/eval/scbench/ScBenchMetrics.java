package io.shadowkv.eval.scbench;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.infinitebench.InfiniteBenchMetrics;
import io.shadowkv.eval.metric.AllReferences;
import io.shadowkv.eval.metric.PythonText;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;

/// SCBench's metrics that differ from InfiniteBench's (microsoft/MInference,
/// `scbench/compute_scores.py`).
///
/// The script iterates over the labels of `scbench_many_shot`, `scbench_qa_chn` and `scbench_vt`.
/// If a label in the published file is one string, this iterates over its characters: `(A)` is
/// found in every answer with an A. Such a turn has two metrics here: the first uses the whole
/// string as the only reference, and its name ends with [#WHOLE]; the second is the script's.
final class ScBenchMetrics {
    /// The answer contains the reference.
    static final Metric KV_RETRIEVAL =
            new AllReferences("kv_retrieval", (answer, references) -> answer.contains(references.getFirst()) ? 1 : 0);

    /// The answer contains any reference, both in upper case.
    static final Metric LONGDIALOGUE_QA_ENG = new AllReferences("longdialogue_qa_eng", (answer, references) -> {
        String upper = answer.toUpperCase(Locale.ROOT);
        return references.stream().anyMatch(each -> upper.contains(each.toUpperCase(Locale.ROOT))) ? 1 : 0;
    });

    /// Share of references that the answer contains, rounded to two digits.
    static final Metric STRING_MATCH_ALL = new AllReferences("string_match_all", (answer, references) -> {
        String lower = answer.toLowerCase(Locale.ROOT);
        long hits = references.stream()
                .filter(each -> lower.contains(each.toLowerCase(Locale.ROOT)))
                .count();
        return new BigDecimal((double) hits / references.size())
                .setScale(2, RoundingMode.HALF_EVEN)
                .doubleValue();
    });

    /// Suffix of the name of a metric that uses a string as one reference where the script uses its
    /// characters.
    static final String WHOLE = ":whole_label";

    private ScBenchMetrics() {}

    /// The metrics of a turn; the first is the turn's own.
    ///
    /// @param isString whether the label is one string
    static List<Metric> of(String part, boolean isString) {
        Metric metric = of(part);
        boolean walks = switch (part) {
            case "scbench_many_shot", "scbench_qa_chn", "scbench_vt" -> true;
            default -> false;
        };
        if (!walks || !isString) {
            return List.of(metric);
        }
        return List.of(
                new AllReferences(metric.name() + WHOLE, metric::score),
                new AllReferences(
                        metric.name(), (answer, references) -> ofCharacters(metric, answer, references.getFirst())));
    }

    private static double ofCharacters(Metric metric, String answer, String label) {
        return label.isEmpty() ? 0 : metric.score(answer, PythonText.characters(label));
    }

    /// The metric of a part.
    ///
    /// @param part the task, or the part of a mixed task that a turn belongs to; `scbench_repoqa`
    ///     has [RepoQa]
    static Metric of(String part) {
        return switch (part) {
            case "scbench_kv", "scbench_prefix_suffix" -> KV_RETRIEVAL;
            case "scbench_vt" -> STRING_MATCH_ALL;
            case "scbench_qa_eng", "scbench_many_shot" -> LONGDIALOGUE_QA_ENG;
            case "scbench_qa_chn" -> InfiniteBenchMetrics.LONGBOOK_QA_CHN;
            case "scbench_choice_eng" -> InfiniteBenchMetrics.LONGBOOK_CHOICE_ENG;
            case "scbench_summary" -> InfiniteBenchMetrics.LONGBOOK_SUM_ENG;
            case "scbench_mf" -> InfiniteBenchMetrics.MATH_FIND;
            case "scbench_passkey" -> InfiniteBenchMetrics.PASSKEY;
            default ->
                throw new IllegalArgumentException("SCBench's script has no metric for a turn of \"" + part + "\"");
        };
    }
}
