package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import java.util.List;

/// One decode step: some new tokens of some sequences.
///
/// Rows stand wave after wave. A wave holds at most one row of a sequence; a sequence with several new tokens
/// (a further turn of a conversation) has them in several waves, in order. Every row is projected at once,
/// waves attend one by one: the result is that of as many steps of one token each.
///
/// @param ids token of each row, 0 for padding
/// @param waves consecutive ranges of the rows
/// @param tokens rows that are tokens; the others, of slot -1, pad their waves
/// @param logitRows rows whose next token is wanted, ascending
public record DecodeStep(int[] ids, List<DecodeCache.Wave> waves, int tokens, int[] logitRows) {
    public DecodeStep {
        waves = List.copyOf(waves);
        int rows = waves.stream().mapToInt(wave -> wave.rows().count()).sum();
        if (rows != ids.length) {
            throw new IllegalArgumentException("the waves hold " + rows + " rows for " + ids.length + " ids");
        }
    }

    /// True if every token's next one is wanted, as when each sequence takes one token.
    boolean wantsAll() {
        return logitRows.length == tokens;
    }
}
