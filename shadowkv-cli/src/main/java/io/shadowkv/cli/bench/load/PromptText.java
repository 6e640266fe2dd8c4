package io.shadowkv.cli.bench.load;

/// A part of a prompt.
public sealed interface PromptText {
    /// @param ids token ids; not copied
    record Ids(int[] ids) implements PromptText {}

    record Words(String text) implements PromptText {}
}
