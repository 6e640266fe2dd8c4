package io.shadowkv.cli.run;

import io.shadowkv.engine.GenerationOptions;
import java.io.PrintWriter;
import java.util.List;
import java.util.regex.Pattern;

/// Recognizes the questions that a bundled model answers. `needle-32k` was trained only on RULER's
/// tasks; after any other prompt it writes line breaks without end.
///
/// For other prompts, prints a note once and limits the length of the answer unless the user has
/// set a limit. Other models are not affected.
final class BundledWording {
    /// The question sentence of each of RULER's tasks (NVIDIA/RULER,
    /// `scripts/data/synthetic/constants.py`).
    private static final Pattern QUESTION = Pattern.compile("special magic (number|word|uuid)s? for "
            + "|variables that are assigned the value"
            + "|most common words in the above list"
            + "|most frequently appeared words in the above");

    private static final int TOKENS = 32;

    private final String model;
    private final boolean isBundled;
    private final PrintWriter err;
    private boolean isSaid;

    /// @param model the name that the user gave
    /// @param isBundled if false, every prompt is accepted
    /// @param err receives the note
    BundledWording(String model, boolean isBundled, PrintWriter err) {
        this.model = model;
        this.isBundled = isBundled;
        this.err = err;
    }

    /// The options for an answer to `prompt`.
    ///
    /// @param statesEnd whether the user has set a limit for the answer
    GenerationOptions options(String prompt, GenerationOptions asked, boolean statesEnd) {
        if (!isBundled || QUESTION.matcher(prompt).find()) {
            return asked;
        }
        if (!isSaid) {
            isSaid = true;
            err.println(model
                    + " answers only the questions of RULER's tasks, in their wording (see examples/needle.txt)."
                    + " The prompt contains none of them, so the answer is meaningless"
                    + (statesEnd ? "" : "; it ends at the first line break or after " + TOKENS + " tokens (-n)"));
            err.flush();
        }
        return statesEnd
                ? asked
                : asked.withMaxNewTokens(Math.min(TOKENS, asked.maxNewTokens())).withStopStrings(List.of("\n"));
    }
}
