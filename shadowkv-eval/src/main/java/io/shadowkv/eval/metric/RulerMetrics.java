package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.regex.Pattern;

/// RULER's metrics, as shares from 0 to 1; RULER prints percentages rounded to two decimals
/// (NVIDIA/RULER, `scripts/eval/synthetic/constants.py`; `scripts/eval/evaluate.py` cleans the
/// answers first).
public final class RulerMetrics {
    /// Share of the references that the answer contains, ignoring case. For all tasks except QA.
    public static final Metric STRING_MATCH_ALL = new AllReferences(
            "string_match_all",
            (answer, references) -> AllReferences.share(references, reference -> contains(answer, reference)));

    /// True if the answer contains any reference, ignoring case. For QA.
    public static final Metric STRING_MATCH_PART =
            new BestReference("string_match_part", (answer, reference) -> contains(answer, reference) ? 1 : 0);

    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f]");

    private RulerMetrics() {}

    private static boolean contains(String answer, String reference) {
        return PythonText.lower(cleaned(answer)).contains(PythonText.lower(reference));
    }

    /// An answer cleaned as in RULER (`postprocess_pred`): control characters become line breaks,
    /// and whitespace at both ends is removed.
    static String cleaned(String answer) {
        return withoutControls(PythonText.strip(answer));
    }

    static String withoutControls(String text) {
        return PythonText.strip(CONTROL.matcher(text).replaceAll("\n"));
    }
}
