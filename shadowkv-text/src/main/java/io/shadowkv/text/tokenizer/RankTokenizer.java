package io.shadowkv.text.tokenizer;

import io.shadowkv.text.ByteAlphabet;
import io.shadowkv.text.DetokenizerStage;
import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// GLM-4's original tokenizer: a split pattern, then byte pairs merged by rank, like tiktoken.
///
/// It is not converted to a `tokenizer.json`, which orders merges by pair. tiktoken orders them by
/// the rank of the union and takes the leftmost of equals, so that results may differ if a token
/// can be split in several ways. Immutable and thread-safe.
final class RankTokenizer implements Tokenizer {
    /// The pattern of ChatGLM4Tokenizer, the same as Llama-3's. `\s` and the letter classes are
    /// Unicode's.
    static final String SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final Pattern PIECES = Pattern.compile(SPLIT, Pattern.UNICODE_CHARACTER_CLASS);
    private static final List<String> PREFIX = List.of("[gMASK]", "<sop>");

    private final RankFile file;
    private final Vocabulary vocabulary;
    private final Pattern specials;
    private final int[] prefix;
    private final OptionalInt endOfSequence;

    private RankTokenizer(RankFile file, Vocabulary vocabulary, Pattern specials, OptionalInt endOfSequence) {
        this.endOfSequence = endOfSequence;
        this.file = file;
        this.vocabulary = vocabulary;
        this.specials = specials;
        boolean hasPrefix =
                PREFIX.stream().allMatch(token -> vocabulary.id(token).isPresent());
        this.prefix = hasPrefix
                ? PREFIX.stream()
                        .mapToInt(token -> vocabulary.id(token).getAsInt())
                        .toArray()
                : new int[0];
    }

    /// @throws TokenizerException if the config gives no special tokens, or one whose id is a rank
    static RankTokenizer of(RankFile file, TokenizerConfig config) {
        List<TokenizerConfig.AddedToken> added = config.addedTokens();
        if (added.isEmpty()) {
            throw new TokenizerException(config.file() + ": has no special tokens (added_tokens_decoder), and "
                    + file.file() + " has none. Download the model's tokenizer_config.json into the folder");
        }
        Vocabulary.Builder builder = new Vocabulary.Builder();
        file.ranks()
                .forEach((token, rank) ->
                        builder.model(ByteAlphabet.token(token.getBytes(StandardCharsets.ISO_8859_1)), rank));
        for (TokenizerConfig.AddedToken token : added) {
            if (file.ranks().containsValue(token.id()) || token.content().isEmpty()) {
                throw new TokenizerException(config.file() + ": special token \"" + token.content() + "\" has id "
                        + token.id() + ", which is also a rank in " + file.file() + ". Download both files again");
            }
            builder.added(token.content(), token.id(), token.isSpecial());
        }
        String alternatives = added.stream()
                .map(TokenizerConfig.AddedToken::content)
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|"));
        Vocabulary vocabulary = builder.build();
        OptionalInt end = config.special("eos_token").map(vocabulary::id).orElse(OptionalInt.empty());
        return new RankTokenizer(file, vocabulary, Pattern.compile(alternatives), end);
    }

    /// Splits a text with the split pattern; the pieces together are the text.
    static List<String> pieces(String text) {
        return PIECES.matcher(text).results().map(match -> match.group()).toList();
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        int[] ids = encode(MarkedText.of(text));
        return addSpecialTokens
                ? IntStream.concat(IntStream.of(prefix), IntStream.of(ids)).toArray()
                : ids;
    }

    @Override
    public int[] encode(MarkedText text) {
        String wellFormed = NativeTokenizer.wellFormed(text.text());
        Set<Integer> literals = Set.copyOf(text.literals());
        IntStream.Builder ids = IntStream.builder();
        Matcher matcher = specials.matcher(wellFormed);
        int from = 0;
        int at = 0;
        while (matcher.find(at)) {
            at = literals.contains(matcher.start()) ? matcher.start() + 1 : matcher.end();
            if (!literals.contains(matcher.start())) {
                encodeText(wellFormed.substring(from, matcher.start()), ids);
                ids.add(vocabulary.id(matcher.group()).orElseThrow());
                from = at;
            }
        }
        encodeText(wellFormed.substring(from), ids);
        return ids.build().toArray();
    }

    @Override
    public OptionalInt endOfSequence() {
        return endOfSequence;
    }

    @Override
    public int[] encodeAsText(String text) {
        IntStream.Builder ids = IntStream.builder();
        encodeText(NativeTokenizer.wellFormed(text), ids);
        return ids.build().toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        IncrementalDetokenizer detokenizer = detokenizer(skipSpecialTokens);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.push(id));
        }
        return text.append(detokenizer.finish()).toString();
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public OptionalInt id(String token) {
        return vocabulary.id(token);
    }

    @Override
    public @Nullable String token(int id) {
        return vocabulary.token(id);
    }

    @Override
    public byte[] bytes(int id) {
        String token = vocabulary.token(id);
        return token == null ? new byte[0] : ByteAlphabet.bytes(token);
    }

    @Override
    public boolean isSpecial(int id) {
        return vocabulary.isSpecial(id);
    }

    @Override
    public IncrementalDetokenizer detokenizer(boolean skipSpecialTokens) {
        return IncrementalDetokenizer.staged(vocabulary, List.of(new DetokenizerStage.ByteLevel()), skipSpecialTokens);
    }

    /// Nothing to release: this tokenizer has no native code.
    @Override
    public void close() {}

    private void encodeText(String text, IntStream.Builder ids) {
        for (String piece : pieces(text)) {
            byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
            BytePairMerger.merge(file.ranks(), new String(bytes, StandardCharsets.ISO_8859_1), ids);
        }
    }
}
