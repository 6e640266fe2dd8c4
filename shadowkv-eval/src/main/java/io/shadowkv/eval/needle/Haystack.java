package io.shadowkv.eval.needle;

/// What surrounds the needles.
public enum Haystack {
    /// One sentence, over and over, one a line.
    REPEAT,
    /// Running text, whole sentences joined by blanks.
    ESSAY,
    /// Other needles with random keys and values, one a line.
    NEEDLES
}
