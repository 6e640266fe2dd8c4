package io.shadowkv.eval.ruler.text;

import java.util.ArrayList;
import java.util.List;

/// RULER's sentences of vt, cwe, fwe and qa, verbatim (NVIDIA/RULER,
/// `scripts/data/synthetic/constants.py`; bytedance/ShadowKV, `data/ruler/synthetic/constants.py`).
/// [io.shadowkv.eval.needle.NeedlePrompts] has those of niah.
final class RulerPrompts {
    static final String CONTEXT = "{context}";
    static final String QUERY = "{query}";

    static final String VT =
            "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n{context}\n"
                    + "Question: Find all variables that are assigned the value {query} in the text above.";
    static final String CWE = "Below is a numbered list of words. In these words, some appear more often than others."
            + " Memorize the ones that appear most often.\n{context}\n"
            + "Question: What are the 10 most common words in the above list?";
    static final String FWE = "Read the following coded text and track the frequency of each coded word. Find the three"
            + " most frequently appeared coded words. {context}\nQuestion: Do not provide any explanation. Please"
            + " ignore the dots '....'. What are the three most frequently appeared words in the above coded text?";
    static final String QA = "Answer the question based on the given documents. Only give me the answer and do not"
            + " output any other words.\n\nThe following are given documents.\n\n{context}\n\nAnswer the question"
            + " based on the given documents. Only give me the answer and do not output any other words.\n\n"
            + "Question: {query}";

    static final String CWE_ANSWER = " Answer: The top 10 words that appear most often in the list are:";
    static final String FWE_ANSWER =
            " Answer: According to the coded text above, the three most frequently appeared words are:";
    static final String QA_ANSWER = " Answer:";

    private RulerPrompts() {}

    /// The beginning of vt's answer; the older version misspells a word.
    static String vtAnswer(RulerVersion version, int variables, String value) {
        String assigned = version == RulerVersion.NVIDIA ? "assigned" : "assgined";
        return " Answer: According to the chain(s) of variable assignment in the text above, " + variables
                + " variables are " + assigned + " the value " + value + ", they are: ";
    }

    /// Formats a list as `1. word 2. word …`.
    static String numbered(List<String> words) {
        var text = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            text.append(i == 0 ? "" : " ").append(i + 1).append(". ").append(words.get(i));
        }
        return text.toString();
    }

    /// Formats a list as Python prints it; the older version counts the tokens of this form.
    static String pythonList(List<String> words) {
        List<String> quoted = new ArrayList<>();
        for (String word : words) {
            char quote = word.contains("'") && !word.contains("\"") ? '"' : '\'';
            String escaped = word.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t");
            quoted.add(quote + (quote == '\'' ? escaped.replace("'", "\\'") : escaped) + quote);
        }
        return "[" + String.join(", ", quoted) + "]";
    }
}
