package io.shadowkv.server.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.text.grammar.Grammar;
import io.shadowkv.text.grammar.GrammarVocabulary;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Schemas of clients that are wrong, large or hostile: each is compiled or refused.
class SchemaLimitsTest {
    private static final int MUTANTS = 2_000;

    private static StructuredOutput output() {
        return StructuredOutput.start(SchemaLimitsTest::bytes);
    }

    private static JsonNode parsed(String json) {
        return JsonBody.tryRead(json).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"type\":\"string\",\"pattern\":\"((a{1,1000}){1,1000}){1,1000}\"} ; refused",
                "{\"type\":\"string\",\"pattern\":\"(a|aa)*b{5000}(.*x.{900})\"} ; refused",
                "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2000000000} ; compiled",
                "{\"type\":\"string\",\"minLength\":2000000000,\"maxLength\":2147483647} ; compiled",
                "{\"type\":\"integer\",\"minimum\":-1e300,\"maximum\":1e300} ; compiled",
                "{\"type\":\"integer\",\"minimum\":5,\"maximum\":4} ; refused",
                "{\"$ref\":\"#\"} ; refused"
            })
    void aHostileSchemaIsCompiledOrRefused(String schema, String outcome) throws Exception {
        ResponseFormat format = new ResponseFormat.JsonSchema(parsed(schema));
        if (outcome.equals("compiled")) {
            assertThat(output().constraint(format)).isNotNull();
        } else {
            assertThatThrownBy(() -> output().constraint(format))
                    .isInstanceOfSatisfying(
                            ApiException.class,
                            refused -> assertThat(refused.code()).isEqualTo("unsupported_schema"));
        }
    }

    @Test
    void mutantsAreCompiledOrRefused() throws Exception {
        long seed = 20_261_130;
        Random random = new Random(seed);
        String valid =
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^[a-c]+$\"},"
                        + "\"b\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/c\"},\"minItems\":1,\"maxItems\":3}},"
                        + "\"required\":[\"a\"],\"$defs\":{\"c\":{\"anyOf\":[{\"type\":\"number\",\"minimum\":0.5},{\"enum\":[1,\"x\"]}]}}}";
        StructuredOutput output = output();
        int compiled = 0;
        for (int i = 0; i < MUTANTS; i++) {
            StringBuilder mutant = new StringBuilder(valid);
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                int at = random.nextInt(mutant.length() - 1);
                switch (random.nextInt(3)) {
                    case 0 -> mutant.deleteCharAt(at);
                    case 1 -> mutant.setCharAt(at, "{}[]\",:01aptx^$".charAt(random.nextInt(15)));
                    default -> mutant.insert(at, mutant.charAt(random.nextInt(mutant.length())));
                }
            }
            JsonNode schema = JsonBody.tryRead(mutant.toString()).orElse(null);
            if (schema != null) {
                try {
                    output.constraint(new ResponseFormat.JsonSchema(schema));
                    compiled++;
                } catch (ApiException refused) {
                    assertThat(refused.status()).as("seed %d: %s", seed, schema).isEqualTo(400);
                }
            }
        }
        assertThat(compiled).isPositive();
    }

    /// The properties of equal schemas may have another order, which answers follow.
    @Test
    void theOrderOfPropertiesCounts() throws Exception {
        StructuredOutput output = output();
        String first = "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\",\"b\"]}";
        String second = "{\"type\":\"object\",\"properties\":{\"b\":{},\"a\":{}},\"required\":[\"a\",\"b\"]}";
        assertThat(parsed(first)).isEqualTo(parsed(second));
        assertThat(keys(output, first)).isEqualTo("a");
        assertThat(keys(output, second)).isEqualTo("b");
        assertThat(keys(output, first)).isEqualTo("a");
    }

    /// The letter with which the first key begins.
    private static String keys(StructuredOutput output, String schema) throws InterruptedException {
        Supplier<TokenConstraint> made = output.constraint(new ResponseFormat.JsonSchema(parsed(schema)));
        TokenConstraint constraint = java.util.Objects.requireNonNull(made).get();
        constraint.accept('{');
        constraint.accept('"');
        int[] bits = new int[9];
        constraint.allowed(bits);
        assertThatThrownBy(() -> constraint.accept('}')).isInstanceOf(IllegalArgumentException.class);
        StringBuilder letters = new StringBuilder();
        for (int id = 0; id < 257; id++) {
            if ((bits[id >> 5] >>> id & 1) != 0) {
                letters.append((char) id);
            }
        }
        return letters.toString();
    }

    private static GrammarVocabulary bytes() {
        return GrammarVocabulary.of(257, id -> id < 256 ? new byte[] {(byte) id} : new byte[0], 256);
    }

    private static Supplier<TokenConstraint> constraint(StructuredOutput output, String schema)
            throws InterruptedException {
        return java.util.Objects.requireNonNull(output.constraint(new ResponseFormat.JsonSchema(parsed(schema))));
    }

    /// A schema waits while others are compiled. One that is kept does not.
    @Test
    void fewSchemasAreCompiledAtATime() throws Exception {
        Semaphore compiling = new Semaphore(1, true);
        StructuredOutput output = StructuredOutput.start(SchemaLimitsTest::bytes, compiling, Duration.ofMinutes(4));
        assertThat(constraint(output, "{\"type\":\"null\"}")).isNotNull();
        compiling.acquire();
        assertThat(constraint(output, "{\"type\":\"null\"}")).isNotNull();
        var other = new FutureTask<>(() -> constraint(output, "{\"type\":\"boolean\"}"));
        Thread.ofVirtual().start(other);
        while (!compiling.hasQueuedThreads()) {
            Thread.yield();
        }
        assertThat(other.isDone()).isFalse();
        compiling.release();
        assertThat(other.get(4, TimeUnit.MINUTES)).isNotNull();
        assertThat(compiling.availablePermits()).isEqualTo(1);
    }

    @Test
    void aRequestDoesNotWaitForEver() {
        StructuredOutput output = StructuredOutput.start(SchemaLimitsTest::bytes, new Semaphore(0), Duration.ZERO);
        assertThatThrownBy(() -> constraint(output, "{\"type\":\"null\"}"))
                .isInstanceOfSatisfying(ApiException.class, refused -> {
                    assertThat(refused.status()).isEqualTo(503);
                    assertThat(refused.code()).isEqualTo("busy");
                });
    }

    @Test
    void aRefusedSchemaGivesItsPermitBack() throws Exception {
        Semaphore compiling = new Semaphore(1);
        StructuredOutput output = StructuredOutput.start(SchemaLimitsTest::bytes, compiling, Duration.ofMinutes(4));
        assertThatThrownBy(() -> constraint(output, "{\"not\":{}}")).isInstanceOf(ApiException.class);
        assertThat(compiling.availablePermits()).isEqualTo(1);
    }

    @Test
    void theToolWhoseSchemaIsBeyondALimitIsNamed() {
        JsonNode good = parsed("{\"type\":\"object\"}");
        JsonNode bad =
                parsed("{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"" + "x".repeat(5_000) + "\"}}}");
        assertThatThrownBy(() ->
                        output().callConstraint(List.of(new Tool("first", good, good), new Tool("second", bad, bad))))
                .isInstanceOfSatisfying(ApiException.class, refused -> {
                    assertThat(refused.code()).isEqualTo("unsupported_schema");
                    assertThat(refused)
                            .hasMessageContaining("\"second\"")
                            .hasMessageContaining("schema at \"/properties/a\", keyword \"pattern\"")
                            .hasMessageContaining("4,096");
                });
    }

    @Test
    void grammarsAreKeptByLastUse() {
        KeptGrammars kept = new KeptGrammars();
        Grammar grammar = Grammar.of(parsed("{\"type\":\"null\"}"), bytes());
        for (int i = 0; i < KeptGrammars.MOST_GRAMMARS; i++) {
            kept.keep("key" + i, grammar);
        }
        assertThat(kept.get("key0")).isPresent();
        kept.keep("another", grammar);
        assertThat(kept.size()).isEqualTo(KeptGrammars.MOST_GRAMMARS);
        assertThat(kept.get("key0")).isPresent();
        assertThat(kept.get("key1")).isEmpty();
    }

    @Test
    void grammarsAreKeptWithinABoundOfMemory() {
        KeptGrammars kept = new KeptGrammars();
        GrammarVocabulary words = bytes();
        kept.keep("x".repeat(KeptGrammars.MOST_KEY_CHARACTERS + 1), Grammar.of(parsed("true"), words));
        assertThat(kept.size()).isZero();
        Grammar large = Grammar.of(parsed("{\"const\":\"" + "x".repeat(150_000) + "\"}"), words);
        for (String key : List.of("a", "b", "c")) {
            kept.keep(key, large);
        }
        assertThat(kept.states()).isLessThanOrEqualTo(KeptGrammars.MOST_STATES);
        assertThat(kept.size()).isEqualTo(2);
        assertThat(kept.get("a")).isEmpty();
    }
}
