package io.shadowkv.eval.scbench;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.infinitebench.InfiniteBenchMetrics;
import io.shadowkv.eval.metric.OverAll;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/// SCBench's metrics where they differ from InfiniteBench's (microsoft/MInference,
/// `scbench/compute_scores.py`).
///
/// Where the script expects a list and a file has a string, it would go through its characters; here the
/// string is the one reference.
final class ScBenchMetrics {
    /// The answer contains the reference.
    static final Metric KV_RETRIEVAL =
            new OverAll("kv_retrieval", (answer, references) -> answer.contains(references.getFirst()) ? 1 : 0);

    /// The answer contains any reference, in upper case both.
    static final Metric LONGDIALOGUE_QA_ENG = new OverAll("longdialogue_qa_eng", (answer, references) -> {
        String upper = answer.toUpperCase(Locale.ROOT);
        return references.stream().anyMatch(each -> upper.contains(each.toUpperCase(Locale.ROOT))) ? 1 : 0;
    });

    /// Share of references that the answer contains, rounded to two digits.
    static final Metric STRING_MATCH_ALL = new OverAll("string_match_all", (answer, references) -> {
        String lower = answer.toLowerCase(Locale.ROOT);
        long hits = references.stream()
                .filter(each -> lower.contains(each.toLowerCase(Locale.ROOT)))
                .count();
        return new BigDecimal((double) hits / references.size())
                .setScale(2, RoundingMode.HALF_EVEN)
                .doubleValue();
    });

    private ScBenchMetrics() {}

    /// @param part the task, or the part of a mixed task that a turn belongs to; `scbench_repoqa` has
    ///     [RepoQa]
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
