package io.shadowkv.eval;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// RULER's scores, as shares from 0 to 1 (NVIDIA/RULER, `scripts/eval/synthetic/constants.py`).
public final class Scores {
    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f]");

    /// [#stringMatchAll] as a task's metric.
    public static final Metric STRING_MATCH_ALL = new Metric() {
        @Override
        public String name() {
            return "string_match_all";
        }

        @Override
        public double score(String answer, List<String> references) {
            return stringMatchAll(answer, references);
        }
    };

    /// [#stringMatchPart] as a task's metric.
    public static final Metric STRING_MATCH_PART = new Metric() {
        @Override
        public String name() {
            return "string_match_part";
        }

        @Override
        public double score(String answer, List<String> references) {
            return stringMatchPart(answer, references);
        }
    };

    private Scores() {}

    /// Mean share of references that the answer contains, upper and lower case alike.
    ///
    /// @throws IllegalArgumentException if there are no references
    public static double stringMatchAll(String answer, List<String> references) {
        if (references.isEmpty()) {
            throw new IllegalArgumentException("the question has no references; at least one is needed for a score");
        }
        String found = cleaned(answer).toLowerCase(Locale.ROOT);
        long hits = references.stream()
                .filter(reference -> found.contains(reference.toLowerCase(Locale.ROOT)))
                .count();
        return (double) hits / references.size();
    }

    /// 1 if the answer contains any of the references, upper and lower case alike, else 0.
    ///
    /// @throws IllegalArgumentException if there are no references
    public static double stringMatchPart(String answer, List<String> references) {
        if (references.isEmpty()) {
            throw new IllegalArgumentException("the question has no references; at least one is needed for a score");
        }
        String found = cleaned(answer).toLowerCase(Locale.ROOT);
        return references.stream().anyMatch(reference -> found.contains(reference.toLowerCase(Locale.ROOT))) ? 1 : 0;
    }

    /// An answer as RULER looks at it: control characters become line breaks, blanks at both ends go.
    static String cleaned(String answer) {
        return CONTROL.matcher(answer.strip()).replaceAll("\n").strip();
    }
}
