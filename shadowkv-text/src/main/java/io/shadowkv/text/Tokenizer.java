package io.shadowkv.text;

import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
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

    /// Ids of a text whose places say where the spelling of a special token is text; nothing is added. Around such
    /// a place the ids are, as far as the tokenizer can, those of a text without special tokens.
    ///
    /// Unless a tokenizer knows better, it reads the first character of such a spelling apart from the rest.
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

    /// The bytes that a token adds to a text behind other tokens: perhaps only a part of a
    /// character. Empty if no token has this id.
    ///
    /// @throws UnsupportedOperationException if the tokenizer's decoder must see the whole text, so
    ///     that a token has no bytes of its own
    default byte[] bytes(int id) {
        throw new UnsupportedOperationException(
                getClass().getSimpleName() + " has no bytes for single tokens; structured output needs them");
    }

    /// Whether `id` is a special token, which `skipSpecialTokens` leaves out.
    boolean isSpecial(int id);

    /// The spellings of all special tokens.
    default SpecialTokens specialTokens() {
        return SpecialTokens.of(IntStream.range(0, vocabularySize())
                .filter(this::isSpecial)
                .mapToObj(this::token)
                .filter(Objects::nonNull)
                .toList());
    }

    /// The token that the checkpoint's tokenizer files name as the end of a sequence (`eos_token`), if they name one.
    default OptionalInt endOfSequence() {
        return OptionalInt.empty();
    }

    /// The ids that [#encode(String, boolean)] puts in front of a text where it is asked to; mostly one or none.
    default int[] beginning() {
        int[] bare = encode("a", false);
        int[] with = encode("a", true);
        // Some tokenizers add an end too.
        int length = 0;
        while (length + bare.length < with.length
                && !Arrays.equals(with, length, length + bare.length, bare, 0, bare.length)) {
            length++;
        }
        return Arrays.copyOf(with, length);
    }

    /// Whether a text spells the beginning that [#encode(String, boolean)] would put in front of it again.
    default boolean beginsTwice(String text) {
        int[] beginning = beginning();
        String token = beginning.length == 0 ? null : token(beginning[0]);
        return token != null && text.startsWith(token);
    }

    /// A decoder for ids that arrive one by one; one for each sequence.
    IncrementalDetokenizer detokenizer(boolean skipSpecialTokens);

    @Override
    void close();
}
