package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The metrics of the paper's own code for RULER and the needle test, for comparison with its
/// tables (bytedance/ShadowKV, `data/metrics.py` and `data/dataset.py`). They are not RULER's:
/// always show their names with the numbers.
public final class PaperMetrics {
    /// True if the answer begins with the reference or contains it as a separate word. The paper's
    /// code uses only one reference; here the best of several counts.
    public static final Metric NEEDLE_SCORE = new BestReference("paper:needle_score", PaperMetrics::needle);

    /// Share of the references that are among the answer's numbers, after removal of commas and
    /// points in numbers.
    public static final Metric MULTI_NUMBER = new AllReferences("paper:multi_number", (answer, references) -> {
        Set<String> numbers = new HashSet<>(PythonText.numbers(Normalization.answer(answer)));
        return AllReferences.share(references, numbers::contains);
    });

    /// Share of the references that are among the answer's words, ignoring case.
    public static final Metric MULTI_WORDS = new AllReferences("paper:multi_words", (answer, references) -> {
        Set<String> words = new HashSet<>(PythonText.words(PythonText.lower(answer)));
        return AllReferences.share(references, reference -> words.contains(PythonText.lower(reference)));
    });

    /// True if the answer contains any reference or any reference contains the answer. An empty
    /// answer is contained in every reference and scores 1; therefore this metric is not the
    /// default of any task.
    public static final Metric STRING_MATCH_PART =
            new BestReference("paper:string_match_part", PaperMetrics::eitherWay);

    private static final List<String> ENDS = List.of("<|eot_id|>", "</s>", "</s", "</");

    private PaperMetrics() {}

    /// The metric of a dataset.
    ///
    /// @param dataset a RULER task with or without `ruler/`, or `niah` for the needle test
    /// @throws IllegalArgumentException if the paper's code has no metric for it
    public static Metric of(String dataset) {
        if (dataset.contains("multiquery") || dataset.contains("multivalue")) {
            return MULTI_NUMBER;
        }
        return switch (kind(dataset)) {
            case "niah" -> NEEDLE_SCORE;
            case "qa" -> STRING_MATCH_PART;
            default -> MULTI_WORDS;
        };
    }

    /// Maximum length of an answer in the paper's code.
    ///
    /// @param dataset as for [#of]
    /// @throws IllegalArgumentException if the paper's code does not have it
    public static int newTokens(String dataset) {
        if (dataset.equals("niah")) {
            return 10;
        }
        return switch (kind(dataset)) {
            case "niah" -> 128;
            case "vt" -> 30;
            case "cwe" -> 120;
            case "fwe" -> 50;
            default -> 32;
        };
    }

    private static String kind(String dataset) {
        return List.of("niah", "vt", "cwe", "fwe", "qa").stream()
                .filter(dataset::contains)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the paper's code has no metric for \"" + dataset
                        + "\"; it knows niah and RULER's niah_*, vt, cwe, fwe and qa_*"));
    }

    private static double needle(String answer, String reference) {
        String found = Normalization.answer(cleaned(answer));
        String wanted = Normalization.answer(reference);
        return found.startsWith(wanted) || PythonText.split(found).contains(wanted) ? 1 : 0;
    }

    private static double eitherWay(String answer, String reference) {
        String found = PythonText.lower(cleaned(answer));
        String wanted = PythonText.lower(reference);
        return found.contains(wanted) || wanted.contains(found) ? 1 : 0;
    }

    /// The paper's `postprocess_pred`: RULER's, which also removes whole and truncated ends of
    /// turns in an intermediate step.
    static String cleaned(String answer) {
        String rest = PythonText.strip(answer);
        for (String end : ENDS) {
            rest = rest.replace(end, "");
        }
        return RulerMetrics.withoutControls(rest);
    }
}
