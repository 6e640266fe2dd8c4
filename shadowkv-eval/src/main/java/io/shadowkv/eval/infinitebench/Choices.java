package io.shadowkv.eval.infinitebench;

import static io.shadowkv.eval.infinitebench.InfiniteBenchMetrics.blanked;
import static io.shadowkv.eval.infinitebench.InfiniteBenchMetrics.hit;

import io.shadowkv.eval.metric.PythonText;
import java.util.List;

/// Which of four options an answer chooses (OpenBMB/InfiniteBench, `src/compute_scores.py`:
/// `get_score_one_longbook_choice_eng` and `get_score_one_code_debug`).
final class Choices {
    private static final String LETTERS = "ABCD";

    private Choices() {}

    static double longbook(String raw, List<String> references) {
        String answer = PythonText.strip(raw);
        if (answer.isEmpty()) {
            return 0;
        }
        if (LETTERS.indexOf(answer.charAt(0)) >= 0) {
            return hit(references.contains(answer.substring(0, 1)));
        }
        if (references.contains(answer)) {
            return 1;
        }
        String words = singleBlanks(blanked(answer, "\n\"'.,?!{}"));
        for (String prefix : List.of("answer is:", "answer:", "answer is", "option is")) {
            int at = words.indexOf(prefix);
            if (at >= 0) {
                return hit(begins(words, at + prefix.length() + 1, references));
            }
        }
        for (String word : PythonText.split(words)) {
            // "AB" counts as a letter here and then equals none of the references.
            if (LETTERS.contains(word)) {
                return hit(references.contains(word));
            }
        }
        return 0;
    }

    static double codeDebug(String raw, List<String> references) {
        String answer = PythonText.strip(raw);
        String function = references.getFirst();
        String letter = references.get(1);
        if (answer.startsWith(letter + ".") || answer.startsWith(letter + ":")) {
            return 1;
        }
        String words = blanked(answer, "\n`'\"-*").replace("Option", " ").replace("option", " ");
        words = singleBlanks(words);
        // The script removes "option" before it looks for the last of these, which is therefore
        // never found.
        for (String prefix : List.of("answer is:", "is:", "answer:", "correct option is:")) {
            int at = words.indexOf(prefix);
            if (at >= 0) {
                return hit(begins(words, at + prefix.length() + 1, List.of(letter, function)));
            }
        }
        return 0;
    }

    /// True if the text continues with any of the references, one character (a space) after the
    /// prefix.
    private static boolean begins(String words, int from, List<String> references) {
        return words.length() >= from && references.stream().anyMatch(words.substring(from)::startsWith);
    }

    private static String singleBlanks(String text) {
        return text.replaceAll(" {2,}", " ");
    }
}
