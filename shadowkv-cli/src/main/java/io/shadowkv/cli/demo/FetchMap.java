package io.shadowkv.cli.demo;

import java.util.List;

/// A coarse map of the parts of the text that each layer read at each decode step.
///
/// @param levels `[layer][step][row]`: 0 is not read, 1 is read and already resident, 2 to 4 are
///     fetched with an increasing share
/// @param turns steps of each question; the first question begins at step 0
/// @param chunksPerRow number of chunks per row
record FetchMap(byte[][][] levels, List<Turn> turns, double chunksPerRow) {
    /// The steps `from` to `until` (exclusive) of a question.
    record Turn(int from, int until) {}

    int steps() {
        return levels.length == 0 ? 0 : levels[0].length;
    }
}
