package io.shadowkv.eval.metric;

import java.util.List;

/// Cuts a text without blanks between its words, as Chinese is written, into words.
@FunctionalInterface
public interface Segmenter {
    /// The words in order; together they are the text.
    List<String> cut(String text);
}
