package io.shadowkv.text;

import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Converts text to token ids and back, exactly as in the training of the model.
///
/// Texts are never truncated or padded, whatever the files say. An unpaired surrogate in a text
/// counts as U+FFFD. Encoding and decoding are thread-safe; [#close] waits for running calls.
public interface Tokenizer extends AutoCloseable {
    /// The ids of `text`, in which the spelling of a special token means that token.
    ///
    /// @param addSpecialTokens whether to add the model's beginning (`<s>`, `[gMASK]<sop>` …) if it
    ///     has one; a rendered chat template already contains it
    int[] encode(String text, boolean addSpecialTokens);

    /// The ids of `text`, in which the spelling of a special token is ordinary text; nothing is
    /// added.
    int[] encodeAsText(String text);

    /// The ids of a text with marked positions at which the spelling of a special token is ordinary
    /// text; nothing is added. Around such a position the ids are, as far as the tokenizer can,
    /// those of a tokenizer without special tokens.
    ///
    /// The default implementation encodes the first character of such a spelling separately from
    /// the rest.
    default int[] encode(MarkedText text) {
        IntStream.Builder ids = IntStream.builder();
        int begin = 0;
        for (int at : text.literals()) {
            int end = text.text().offsetByCodePoints(at, 1);
            IntStream.of(encode(text.text().substring(begin, end), false)).forEach(ids::add);
            begin = end;
        }
        IntStream.of(encode(text.text().substring(begin), false)).forEach(ids::add);
        return ids.build().toArray();
    }

    /// The text of `ids`; undecodable bytes become U+FFFD, ids without a token are skipped.
    ///
    /// @throws IllegalArgumentException if an id is negative
    String decode(int[] ids, boolean skipSpecialTokens);

    /// The highest id plus one. A model's logits may have more columns (padding), never fewer.
    int vocabularySize();

    /// The id of the token with this spelling in the vocabulary, if it exists.
    OptionalInt id(String token);

    /// The token as written in the vocabulary (`Ġthe`, `▁the`, `<0x0A>`), or null if no token has
    /// this id.
    @Nullable
    String token(int id);

    /// The bytes that a token adds to a text behind other tokens: perhaps only a part of a
    /// character. Empty if no token has this id.
    ///
    /// @throws UnsupportedOperationException if the tokenizer's decoder must see the whole text, so
    ///     that a token has no bytes of its own
    default byte[] bytes(int id) {
        throw new UnsupportedOperationException(
                getClass().getSimpleName() + " has no bytes for single tokens; structured output needs them");
    }

    /// True if `id` is a special token, which `skipSpecialTokens` omits.
    boolean isSpecial(int id);

    /// The spellings of all special tokens.
    default SpecialTokens specialTokens() {
        return SpecialTokens.of(IntStream.range(0, vocabularySize())
                .filter(this::isSpecial)
                .mapToObj(this::token)
                .filter(Objects::nonNull)
                .toList());
    }

    /// The token that the checkpoint's tokenizer files name as end of sequence (`eos_token`), if
    /// any.
    default OptionalInt endOfSequence() {
        return OptionalInt.empty();
    }

    /// The ids that [#encode(String, boolean)] adds in front of a text on request; usually one or
    /// none.
    default int[] beginning() {
        int[] bare = encode("a", false);
        int[] with = encode("a", true);
        // Some tokenizers also add tokens at the end.
        int length = 0;
        while (length + bare.length < with.length
                && !Arrays.equals(with, length, length + bare.length, bare, 0, bare.length)) {
            length++;
        }
        return Arrays.copyOf(with, length);
    }

    /// True if a text already begins with what [#encode(String, boolean)] would add in front of it.
    default boolean beginsTwice(String text) {
        int[] beginning = beginning();
        String token = beginning.length == 0 ? null : token(beginning[0]);
        return token != null && text.startsWith(token);
    }

    /// Creates a decoder for ids that arrive one by one; use one per sequence.
    IncrementalDetokenizer detokenizer(boolean skipSpecialTokens);

    @Override
    void close();
}
