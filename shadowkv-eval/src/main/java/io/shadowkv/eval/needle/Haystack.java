package io.shadowkv.eval.needle;

/// The kind of text around the needles.
public enum Haystack {
    /// One sentence, repeated, one on each line.
    REPEAT,
    /// Running text: whole sentences joined by spaces.
    ESSAY,
    /// Other needles with random keys and values, one on each line.
    NEEDLES
}
