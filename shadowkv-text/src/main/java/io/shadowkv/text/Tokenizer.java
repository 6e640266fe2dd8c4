package io.shadowkv.text;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// Turns text into token ids and back, exactly as the model was trained to read it.
///
/// Nothing is truncated or padded, whatever the files say. A lone surrogate in a text counts as U+FFFD.
/// Encoding and decoding may be called from any thread; [#close] waits for calls under way.
public interface Tokenizer extends AutoCloseable {
    /// Ids of `text`, in which the spelling of a special token means that token.
    ///
    /// @param addSpecialTokens whether the model's beginning (`<s>`, `[gMASK]<sop>` …) is added, where it has
    ///     one; a rendered chat template already contains it
    int[] encode(String text, boolean addSpecialTokens);

    /// Ids of `text`, in which the spelling of a special token is text like any other; nothing is added.
    int[] encodeAsText(String text);

    /// The text of `ids`; undecodable bytes become U+FFFD, ids without a token are passed over.
    ///
    /// @throws IllegalArgumentException if an id is negative
    String decode(int[] ids, boolean skipSpecialTokens);

    /// One more than the highest id. A model's logits may have more columns (padding), never fewer.
    int vocabularySize();

    /// The id of the token that is written so in the vocabulary, or nothing.
    OptionalInt id(String token);

    /// The token as it is written in the vocabulary (`Ġthe`, `▁the`, `<0x0A>`), or null if no token has this id.
    @Nullable
    String token(int id);

    /// Whether `id` is a special token, which `skipSpecialTokens` leaves out.
    boolean isSpecial(int id);

    /// A decoder for ids that arrive one by one; one for each sequence.
    IncrementalDetokenizer detokenizer(boolean skipSpecialTokens);

    @Override
    void close();
}
