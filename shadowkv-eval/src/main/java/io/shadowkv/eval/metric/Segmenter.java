package io.shadowkv.eval.metric;

import java.util.List;

/// Cuts a text without spaces between its words, such as Chinese, into words.
@FunctionalInterface
public interface Segmenter {
    /// The words in order; joined they are the text.
    List<String> cut(String text);
}
