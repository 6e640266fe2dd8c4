package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The scores that the paper's own code gives to RULER and the needle test, for comparing with its tables
/// (ByteDance's ShadowKV, `data/metrics.py` and `data/dataset.py`). They are not RULER's: never show one
/// without its name.
public final class PaperMetrics {
    /// Whether the answer begins with the reference or has it as a word of its own. The paper's code takes
    /// one reference only; of several the best counts here.
    public static final Metric NEEDLE_SCORE = new BestOf("paper:needle_score", PaperMetrics::needle);

    /// Share of the references that are among the answer's numbers, commas and points inside them taken
    /// out.
    public static final Metric MULTI_NUMBER = new OverAll("paper:multi_number", (answer, references) -> {
        Set<String> numbers = new HashSet<>(PythonText.numbers(Normalization.answer(answer)));
        return OverAll.share(references, numbers::contains);
    });

    /// Share of the references that are among the answer's words, upper and lower case alike.
    public static final Metric MULTI_WORDS = new OverAll("paper:multi_words", (answer, references) -> {
        Set<String> words = new HashSet<>(PythonText.words(PythonText.lower(answer)));
        return OverAll.share(references, reference -> words.contains(PythonText.lower(reference)));
    });

    /// Whether the answer contains any reference or any reference contains the answer. An empty answer is
    /// contained in every reference and gets full marks, which is why this is nobody's default.
    public static final Metric STRING_MATCH_PART = new BestOf("paper:string_match_part", PaperMetrics::eitherWay);

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

    /// New tokens that the paper's code allows.
    ///
    /// @param dataset as for [#of]
    /// @throws IllegalArgumentException if the paper's code does not know it
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

    /// The paper's `postprocess_pred`: RULER's, but ends of turns, whole and cut, go in between.
    static String cleaned(String answer) {
        String rest = PythonText.strip(answer);
        for (String end : ENDS) {
            rest = rest.replace(end, "");
        }
        return RulerMetrics.withoutControls(rest);
    }
}
