package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import java.util.List;

/// One decode step: one or more new tokens of each of several sequences.
///
/// Rows are grouped in consecutive waves. A wave has at most one row of each sequence; a sequence
/// with several new tokens (a further turn of a conversation) has one in each of several waves, in
/// order. All rows are projected together and the waves attend one after the other, so the result
/// is the same as that of separate steps of one token each.
///
/// @param ids token of each row, 0 for padding
/// @param waves consecutive ranges of the rows
/// @param tokens number of rows that are tokens; the others have slot -1 and pad their waves
/// @param logitRows rows whose next token is requested, ascending
public record DecodeStep(int[] ids, List<DecodeCache.Wave> waves, int tokens, int[] logitRows) {
    public DecodeStep {
        waves = List.copyOf(waves);
        int rows = waves.stream().mapToInt(wave -> wave.rows().count()).sum();
        if (rows != ids.length) {
            throw new IllegalArgumentException("the waves hold " + rows + " rows for " + ids.length + " ids");
        }
    }

    /// True if the next token of every row is requested, as in a step of one token per sequence.
    boolean wantsAll() {
        return logitRows.length == tokens;
    }
}
