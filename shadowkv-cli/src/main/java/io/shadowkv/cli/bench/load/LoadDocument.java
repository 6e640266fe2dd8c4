package io.shadowkv.cli.bench.load;

/// A document that several requests are about.
///
/// @param index number of the document in its trace, from 0
/// @param tokens length asked for
/// @param text its content
/// @param key differs between documents of different content
public record LoadDocument(int index, int tokens, PromptText text, String key) {
    @Override
    public boolean equals(Object other) {
        return other instanceof LoadDocument document && document.key.equals(key);
    }

    @Override
    public int hashCode() {
        return key.hashCode();
    }

    @Override
    public String toString() {
        return "LoadDocument[" + key + ", " + tokens + " tokens]";
    }
}
