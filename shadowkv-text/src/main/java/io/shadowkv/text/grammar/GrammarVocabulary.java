package io.shadowkv.text.grammar;

import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.grammar.TokenTrie.Token;
import io.shadowkv.text.grammar.regex.PlainText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;

/// A tokenizer's tokens as bytes, made once for a tokenizer and shared by all its grammars.
/// For any thread; it changes only by what it keeps for later.
///
/// Special tokens are in no grammar's text. The ends of a sequence are allowed where the text is
/// complete.
public final class GrammarVocabulary {
    private static final byte[] NO_BYTES = {};
    /// All grammars of a vocabulary share these for their masks.
    private static final long MASK_BYTES = 64L << 20;

    private final int size;
    private final int[] endOfSequence;
    /// The bytes of each token; none for a token that is in no grammar's text.
    private final byte[][] bytes;
    private final int longest;
    /// Tokens of whole characters that need no escape in a JSON string.
    private final TokenTrie plain;
    /// All others.
    private final TokenTrie rest;
    /// Plain tokens, those with fewest characters first.
    private final int[] plainByLength;
    /// How many plain tokens have at most so many characters.
    private final int[] plainUpTo;
    /// Sets of the plain tokens with at most so many characters, made when first asked for.
    private final AtomicReferenceArray<int[]> plainSets;
    private final TokenMasks.Budget maskBudget;

    private GrammarVocabulary(byte[][] bytes, int[] endOfSequence, long maskBytes) {
        this.maskBudget = new TokenMasks.Budget(maskBytes);
        this.size = bytes.length;
        this.bytes = bytes;
        this.endOfSequence = endOfSequence;
        List<Token> restTokens = new ArrayList<>();
        Map<Integer, List<Token>> plainTokens = new TreeMap<>();
        int most = 0;
        for (int id = 0; id < size; id++) {
            byte[] token = bytes[id];
            if (token.length > 0) {
                int characters = PlainText.characters(token);
                List<Token> alike = characters == PlainText.NOT_PLAIN
                        ? restTokens
                        : plainTokens.computeIfAbsent(characters, key -> new ArrayList<>());
                alike.add(new Token(id, token));
                most = Math.max(most, token.length);
            }
        }
        this.longest = most;
        this.rest = TokenTrie.of(restTokens);
        List<Token> ascending =
                plainTokens.values().stream().flatMap(List::stream).toList();
        this.plain = TokenTrie.of(ascending);
        this.plainByLength = ascending.stream().mapToInt(Token::id).toArray();
        this.plainUpTo = new int[most + 1];
        plainTokens.forEach((characters, tokens) -> plainUpTo[characters] = tokens.size());
        Arrays.parallelPrefix(plainUpTo, Integer::sum);
        this.plainSets = new AtomicReferenceArray<>(most + 1);
    }

    /// The vocabulary of a tokenizer.
    ///
    /// @param endOfSequence ids that end a generation
    /// @throws IllegalArgumentException if an end is not an id of the tokenizer, or if a printable
    ///     ASCII character is not a token: then JSON could not be continued in some place
    public static GrammarVocabulary of(Tokenizer tokenizer, int... endOfSequence) {
        return of(
                tokenizer.vocabularySize(),
                id -> tokenizer.isSpecial(id) ? NO_BYTES : tokenizer.bytes(id),
                endOfSequence);
    }

    /// A vocabulary of `size` ids.
    ///
    /// @param bytes the bytes of a token; empty for an id that adds no text
    /// @throws IllegalArgumentException as above
    public static GrammarVocabulary of(int size, IntFunction<byte[]> bytes, int... endOfSequence) {
        return withMaskBytes(MASK_BYTES, size, bytes, endOfSequence);
    }

    /// A vocabulary whose grammars keep at most `maskBytes` of masks together.
    static GrammarVocabulary withMaskBytes(long maskBytes, int size, IntFunction<byte[]> bytes, int... endOfSequence) {
        byte[][] tokens = new byte[size][];
        boolean[] isCharacter = new boolean[128];
        for (int id = 0; id < size; id++) {
            byte[] token = bytes.apply(id);
            tokens[id] = token.clone();
            if (token.length == 1 && token[0] >= 0) {
                isCharacter[token[0]] = true;
            }
        }
        for (int end : endOfSequence) {
            if (end < 0 || end >= size) {
                throw new IllegalArgumentException(
                        "end of sequence is token " + end + "; the vocabulary has ids 0 to " + (size - 1));
            }
            tokens[end] = NO_BYTES;
        }
        for (char character = ' '; character < 0x7f; character++) {
            if (!isCharacter[character]) {
                throw new IllegalArgumentException("no token is the single character \"" + character
                        + "\"; structured output needs a token for each printable ASCII character. Use a model whose"
                        + " tokenizer has them");
            }
        }
        return new GrammarVocabulary(tokens, endOfSequence.clone(), maskBytes);
    }

    /// One more than the highest id.
    public int size() {
        return size;
    }

    /// The number of `int`s that a set of tokens takes, a bit a token.
    public int maskInts() {
        return (size + 31) / 32;
    }

    /// The bytes of a token; none if it is in no grammar's text.
    byte[] bytes(int id) {
        return id >= 0 && id < size ? bytes[id] : NO_BYTES;
    }

    boolean isEnd(int id) {
        return Arrays.stream(endOfSequence).anyMatch(end -> end == id);
    }

    int[] endOfSequence() {
        return endOfSequence;
    }

    /// The number of bytes of the longest token.
    int longest() {
        return longest;
    }

    TokenMasks.Budget maskBudget() {
        return maskBudget;
    }

    TokenTrie plain() {
        return plain;
    }

    TokenTrie rest() {
        return rest;
    }

    /// The set of plain tokens with at most `characters` characters. It is not to be changed.
    int[] plainUpTo(int characters) {
        int most = Math.min(characters, longest);
        int[] known = plainSets.get(most);
        if (known == null) {
            known = new int[maskInts()];
            for (int i = 0; i < plainUpTo[most]; i++) {
                known[plainByLength[i] >> 5] |= 1 << plainByLength[i];
            }
            plainSets.set(most, known);
        }
        return known;
    }
}
