package io.shadowkv.text.tokenizer;

import io.shadowkv.text.DetokenizerStage;
import io.shadowkv.text.DetokenizerStages;
import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.Json;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.TokenBytes;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.Vocabulary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The tokenizer that a `tokenizer.json` describes, run by the Rust tokenizers library.
public final class JsonTokenizer implements Tokenizer {
    private final String json;
    private final Object source;
    private final Vocabulary vocabulary;
    private final JsonNode decoder;
    private final NativeTokenizer recognising;
    private final SpecialTokens specials;
    private final OptionalInt endOfSequence;
    private final Optional<TokenBytes> bytes;
    /// Created on first use; few callers need it.
    private @Nullable BlindTokenizer blind;

    private JsonTokenizer(String json, Object source, Vocabulary vocabulary, JsonNode decoder, OptionalInt end) {
        this.json = json;
        this.source = source;
        this.vocabulary = vocabulary;
        this.decoder = decoder;
        this.bytes = DetokenizerStages.of(decoder).flatMap(TokenBytes::of);
        this.endOfSequence = end;
        this.specials = SpecialTokens.of(vocabulary.specials());
        this.recognising = NativeTokenizer.of(json, source);
    }

    /// @param source names the file in messages
    /// @param config the contents of the other files of the folder
    /// @throws TokenizerException if the JSON is malformed or does not describe a tokenizer
    public static JsonTokenizer of(String json, Object source, TokenizerConfig config) {
        ObjectNode root = Json.object(json, source);
        boolean isChanged = TokenizerJsonAdditions.addTokens(root, config);
        Vocabulary vocabulary;
        try {
            vocabulary = vocabulary(root, source);
        } catch (IllegalArgumentException e) {
            throw new TokenizerException(source + ": " + e.getMessage() + ". Download the file again", e);
        }
        isChanged |= TokenizerJsonAdditions.addEnds(root, config, vocabulary);
        TokenizerJsonCheck.check(root, source);
        OptionalInt end = config.special("eos_token").map(vocabulary::id).orElse(OptionalInt.empty());
        return new JsonTokenizer(isChanged ? Json.text(root) : json, source, vocabulary, root.path("decoder"), end);
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        return recognising.encode(text, addSpecialTokens);
    }

    @Override
    public int[] encodeAsText(String text) {
        return blind().encode(text);
    }

    @Override
    public int[] encode(MarkedText text) {
        return text.literals().isEmpty() ? recognising.encode(text.text(), false) : blind().encode(text, recognising);
    }

    @Override
    public SpecialTokens specialTokens() {
        return specials;
    }

    @Override
    public OptionalInt endOfSequence() {
        return endOfSequence;
    }

    /// Uses our own decoder if it supports all steps: the library ends the JVM if it encounters an
    /// unexpected index.
    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        IncrementalDetokenizer detokenizer = detokenizer(skipSpecialTokens);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(detokenizer.push(id));
        }
        return text.append(detokenizer.finish()).toString();
    }

    /// The library's own decoding of ids that have tokens.
    public String libraryDecode(int[] ids, boolean skipSpecialTokens) {
        long[] wide = IntStream.of(ids).asLongStream().toArray();
        return recognising.decode(wide, skipSpecialTokens);
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
        if (token == null) {
            return new byte[0];
        }
        return bytes.orElseThrow(() -> new UnsupportedOperationException(source
                        + ": the decoder has a step that must see the whole text, so single tokens have no bytes."
                        + " Structured output needs them; use a model with another tokenizer"))
                .bytes(token);
    }

    @Override
    public boolean isSpecial(int id) {
        return vocabulary.isSpecial(id);
    }

    @Override
    public IncrementalDetokenizer detokenizer(boolean skipSpecialTokens) {
        Optional<List<DetokenizerStage>> stages = DetokenizerStages.of(decoder);
        if (stages.isPresent()) {
            return IncrementalDetokenizer.staged(vocabulary, stages.get(), skipSpecialTokens);
        }
        return IncrementalDetokenizer.holding(
                vocabulary,
                ids -> libraryDecode(ids.stream().mapToInt(Integer::intValue).toArray(), skipSpecialTokens));
    }

    @Override
    public synchronized void close() {
        recognising.close();
        if (blind != null) {
            blind.close();
        }
    }

    private synchronized BlindTokenizer blind() {
        BlindTokenizer tokenizer = blind;
        if (tokenizer == null) {
            tokenizer = BlindTokenizer.of(Json.object(json, source), source);
            blind = tokenizer;
        }
        return tokenizer;
    }

    static Vocabulary vocabulary(ObjectNode root, Object source) {
        JsonNode model = root.path("model").path("vocab");
        if (model.isEmpty()) {
            throw new TokenizerException(source + ": has no vocabulary (model.vocab is " + model.getNodeType()
                    + "). Download the file again; a tokenizer.json contains an object model with a vocab");
        }
        Vocabulary.Builder builder = new Vocabulary.Builder();
        for (Map.Entry<String, JsonNode> entry : model.properties()) {
            builder.model(entry.getKey(), entry.getValue().asLong(-1));
        }
        if (model.isArray()) {
            for (int id = 0; id < model.size(); id++) {
                builder.model(model.path(id).path(0).asString(""), id);
            }
        }
        for (JsonNode token : root.path("added_tokens")) {
            builder.added(
                    token.path("content").asString(""), token.path("special").asBoolean(false));
        }
        return builder.build();
    }
}
