package io.shadowkv.cli.run;

import io.shadowkv.engine.GenerationOptions;
import java.io.PrintWriter;
import java.util.List;
import java.util.regex.Pattern;

/// The questions that a bundled model answers. `needle-32k` was trained on RULER's tasks alone; after any other prompt
/// it writes line breaks without end.
///
/// Such a prompt gets a note, once, and an answer that ends early unless the user says how long it may be. Other
/// models are left alone.
final class BundledWording {
    /// The sentence of each of RULER's tasks that asks (NVIDIA/RULER, `scripts/data/synthetic/constants.py`).
    private static final Pattern QUESTION = Pattern.compile("special magic (number|word|uuid)s? for "
            + "|variables that are assigned the value"
            + "|most common words in the above list"
            + "|most frequently appeared words in the above");

    private static final int TOKENS = 32;

    private final String model;
    private final boolean isBundled;
    private final PrintWriter err;
    private boolean isSaid;

    /// @param model as the user named it
    /// @param isBundled false lets every prompt pass
    /// @param err where the note goes
    BundledWording(String model, boolean isBundled, PrintWriter err) {
        this.model = model;
        this.isBundled = isBundled;
        this.err = err;
    }

    /// The options for an answer to `prompt`.
    ///
    /// @param statesEnd whether the user said when the answer ends
    GenerationOptions options(String prompt, GenerationOptions asked, boolean statesEnd) {
        if (!isBundled || QUESTION.matcher(prompt).find()) {
            return asked;
        }
        if (!isSaid) {
            isSaid = true;
            err.println(model + " answers only the questions of RULER's tasks, in their words (examples/needle.txt is"
                    + " one). The prompt has none of them, so the answer means nothing"
                    + (statesEnd ? "" : "; it ends at the first line break or after " + TOKENS + " tokens (-n)"));
            err.flush();
        }
        return statesEnd
                ? asked
                : asked.withMaxNewTokens(Math.min(TOKENS, asked.maxNewTokens())).withStopStrings(List.of("\n"));
    }
}
