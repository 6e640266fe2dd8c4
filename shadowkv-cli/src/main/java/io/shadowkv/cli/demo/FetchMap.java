package io.shadowkv.cli.demo;

import java.util.List;

/// Which parts of the text each layer read at each decode step, coarsely.
///
/// @param levels `[layer][step][row]`: 0 not read, 1 read and resident already, 2 to 4 fetched, a larger share
///     the higher
/// @param turns steps of each question, the first question's beginning at 0
/// @param chunksPerRow chunks that share a row
record FetchMap(byte[][][] levels, List<Turn> turns, double chunksPerRow) {
    /// Steps `from` to `until`, exclusive.
    record Turn(int from, int until) {}

    int steps() {
        return levels.length == 0 ? 0 : levels[0].length;
    }
}
