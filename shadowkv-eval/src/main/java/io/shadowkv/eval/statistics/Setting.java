package io.shadowkv.eval.statistics;

import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.report.plot.Quantity;

/// The properties that the answers of one table have in common.
///
/// @param contextTokens the requested length; 0 if files determine it
public record Setting(String model, String backend, String kvType, int contextTokens) {
    private static final int ANY_LENGTH = -1;

    public static Setting of(AnswerRecord answer) {
        AnswerRecord.Key key = answer.key();
        return new Setting(key.model(), key.backend(), key.kvType(), key.contextTokens());
    }

    /// The same for answers to prompts of any length.
    public static Setting ofAnyLength(AnswerRecord answer) {
        AnswerRecord.Key key = answer.key();
        return new Setting(key.model(), key.backend(), key.kvType(), ANY_LENGTH);
    }

    public String length() {
        if (contextTokens == ANY_LENGTH) {
            return "all lengths";
        }
        return contextTokens == 0 ? "lengths of the files" : Quantity.tokens(contextTokens) + " tokens";
    }

    /// All properties, for reports with several models or backends.
    public String everything() {
        return length() + ", " + model + ", " + backend + " " + kvType;
    }
}
