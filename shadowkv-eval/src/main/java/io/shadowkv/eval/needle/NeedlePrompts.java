package io.shadowkv.eval.needle;

import java.util.List;

/// RULER's sentences, verbatim (NVIDIA/RULER, `scripts/data/synthetic/constants.py`, task niah).
public final class NeedlePrompts {
    /// The filler line of the repeated haystack.
    public static final String NOISE =
            "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

    private static final String TASK = "Some special magic {type} are hidden within the following text. Make sure to"
            + " memorize it. I will quiz you about the {type} afterwards.\n{context}\n";
    private static final String QUESTION =
            "What are all the special magic {type} for {query} mentioned in the provided text?";
    private static final String ANSWER = " The special magic {type} for {query} mentioned in the provided text are";

    private NeedlePrompts() {}

    public static String needle(NeedleKind values, String key, String value) {
        return "One of the special magic " + values.plural() + " for " + key + " is: " + value + ".";
    }

    public static String task(NeedleKind values, boolean isSingle, String context) {
        return fill(TASK, values, isSingle).replace("{context}", context);
    }

    public static String question(NeedleKind values, boolean isSingle, List<String> keys) {
        return fill(QUESTION, values, isSingle).replace("{query}", join(keys));
    }

    public static String answerPrefix(NeedleKind values, boolean isSingle, List<String> keys) {
        return fill(ANSWER, values, isSingle).replace("{query}", join(keys));
    }

    private static String fill(String template, NeedleKind values, boolean isSingle) {
        return isSingle
                ? singular(template).replace("{type}", values.singular())
                : template.replace("{type}", values.plural());
    }

    /// RULER makes the singular by these replacements in this order, before any placeholder is
    /// filled. They also change the chat template ("You is a helpful assistant").
    public static String singular(String template) {
        return template.replace("Some", "A")
                .replace("are all", "is")
                .replace("are", "is")
                .replace("answers", "answer");
    }

    private static String join(List<String> keys) {
        int last = keys.size() - 1;
        return last == 0 ? keys.getFirst() : String.join(", ", keys.subList(0, last)) + ", and " + keys.get(last);
    }
}
