package io.shadowkv.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.text.Json;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.tokenizer.GoldenLines;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Grammars with real tokenizers: byte-level, SentencePiece with byte tokens, ranked.
@Order(1)
class RealTokenizersTest {
    private static final int WALKS = 8;

    private static Tokenizer open(String kind) {
        Path folder = kind.equals("needle")
                ? Fixtures.needleModel()
                : GoldenLines.root().resolve(kind);
        return Tokenizers.open(folder);
    }

    private static int end(Tokenizer tokenizer) {
        int last = tokenizer.vocabularySize() - 1;
        return tokenizer.endOfSequence().orElse(last);
    }

    /// Whatever a model does, the text that the client gets is JSON and valid.
    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "bbpe-qwen2", "sp-phi3", "sp-yi", "sp-metaspace", "glm-tiktoken", "needle"})
    void randomTokensMakeValidJson(String kind) {
        Random random = new Random(kind.hashCode());
        try (Tokenizer tokenizer = open(kind)) {
            GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer, end(tokenizer));
            for (String schema : GrammarSchemas.ALL) {
                SchemaValidator validator = new SchemaValidator(ByteVocabulary.json(schema));
                RandomWalk walk = new RandomWalk(Grammar.of(ByteVocabulary.json(schema), vocabulary), random);
                for (int i = 0; i < WALKS; i++) {
                    String text = RandomWalk.decoded(tokenizer, walk.tokens());
                    JsonNode value = ByteVocabulary.json(text);
                    assertThat(validator.isValid(value))
                            .as(schema + "\n" + text)
                            .isTrue();
                    assertThat(text).doesNotContain("\ufffd\ufffd").doesNotStartWith(" ");
                }
            }
        }
    }

    /// A valid document may be cut into tokens in any way.
    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "sp-phi3", "glm-tiktoken", "needle"})
    void anyCutOfADocumentIsAllowed(String kind) {
        Random random = new Random(kind.length());
        try (Tokenizer tokenizer = open(kind)) {
            GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer, end(tokenizer));
            int[] mask = new int[vocabulary.maskInts()];
            for (String schema : GrammarSchemas.ALL) {
                Grammar grammar = Grammar.of(ByteVocabulary.json(schema), vocabulary);
                Grammar bytes = ByteVocabulary.grammar(schema);
                for (int i = 0; i < 3; i++) {
                    byte[] text = document(bytes, random);
                    GrammarState state = grammar.start();
                    int at = 0;
                    while (at < text.length) {
                        List<Integer> fitting = fitting(vocabulary, text, at);
                        state.mask(mask);
                        int place = at;
                        assertThat(fitting)
                                .as(schema)
                                .allSatisfy(id -> assertThat(mask[id >> 5] >>> id & 1)
                                        .as(
                                                "token %s at byte %s of %s",
                                                id, place, new String(text, StandardCharsets.UTF_8))
                                        .isEqualTo(1));
                        int id = fitting.get(random.nextInt(fitting.size()));
                        state.accept(id);
                        at += vocabulary.bytes(id).length;
                    }
                    assertThat(state.isComplete()).isTrue();
                }
            }
        }
    }

    private static byte[] document(Grammar grammar, Random random) {
        List<Integer> tokens = new RandomWalk(grammar, random).tokens();
        byte[] text = new byte[tokens.size()];
        for (int i = 0; i < text.length; i++) {
            text[i] = tokens.get(i).byteValue();
        }
        return text;
    }

    private static List<Integer> fitting(GrammarVocabulary vocabulary, byte[] text, int at) {
        List<Integer> fitting = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            byte[] token = vocabulary.bytes(id);
            if (token.length > 0
                    && at + token.length <= text.length
                    && Arrays.equals(token, 0, token.length, text, at, at + token.length)) {
                fitting.add(id);
            }
        }
        return fitting;
    }

    /// The tries, the cached parts and the plain tokens come to what trying each token comes to.
    @ParameterizedTest
    @ValueSource(strings = {"bbpe-qwen2", "sp-yi", "glm-tiktoken"})
    void masksAreThoseOfTryingEachToken(String kind) {
        Random random = new Random(7);
        try (Tokenizer tokenizer = open(kind)) {
            GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer, end(tokenizer));
            int[] mask = new int[vocabulary.maskInts()];
            int compared = 0;
            for (String schema : GrammarSchemas.ALL) {
                Grammar grammar = Grammar.of(ByteVocabulary.json(schema), vocabulary);
                for (int i = 0; i < 2; i++) {
                    GrammarState state = grammar.start();
                    for (int token : new RandomWalk(grammar, random).tokens()) {
                        state.mask(mask);
                        for (int id = 0; id < vocabulary.size(); id++) {
                            boolean isInMask = (mask[id >> 5] >>> id & 1) == 1;
                            if (isInMask != state.allows(id)) {
                                throw new AssertionError(
                                        schema + ": token " + tokenizer.token(id) + " isInMask " + isInMask);
                            }
                        }
                        compared++;
                        state.accept(token);
                    }
                }
            }
            assertThat(compared).isGreaterThan(300);
        }
    }

    /// Special tokens are in no text, even where their spelling would be.
    @ParameterizedTest
    @ValueSource(strings = {"bbpe-llama3", "sp-phi3", "glm-tiktoken"})
    void specialTokensAreNotText(String kind) {
        try (Tokenizer tokenizer = open(kind)) {
            GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer, end(tokenizer));
            GrammarState state =
                    Grammar.of(Json.object().put("type", "string"), vocabulary).start();
            state.accept(tokenizer.id("\"").orElseThrow());
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                if (tokenizer.isSpecial(id)) {
                    assertThat(state.allows(id)).as(tokenizer.token(id)).isFalse();
                }
            }
        }
    }
}
