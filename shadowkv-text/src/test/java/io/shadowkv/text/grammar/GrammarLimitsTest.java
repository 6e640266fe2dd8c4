package io.shadowkv.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.shadowkv.text.Json;
import io.shadowkv.text.grammar.regex.Dfa;
import io.shadowkv.text.grammar.regex.Effort;
import io.shadowkv.text.grammar.regex.Formats;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/// Large and hostile schemas: each is compiled or refused, within bounds of time, memory and stack.
class GrammarLimitsTest {
    private static String properties(int count) {
        return "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                + IntStream.range(0, count)
                        .mapToObj(i -> "\"p%05d\":{\"type\":\"null\"}".formatted(i))
                        .collect(Collectors.joining(","))
                + "}}";
    }

    private static GrammarException refusal(String schema) {
        GrammarException refusal = catchThrowableOfType(GrammarException.class, () -> ByteVocabulary.grammar(schema));
        assertThat(refusal).isNotNull();
        return refusal;
    }

    private static void assertRefused(String schema, String keyword, String limit) {
        GrammarException refusal = refusal(schema);
        assertThat(refusal.keyword()).as(refusal.getMessage()).isEqualTo(keyword);
        assertThat(refusal).hasMessageContaining(limit);
        assertThat(refusal.getMessage()).hasSizeLessThan(500);
    }

    /// Each property can be passed over, so that all of them are reached from the first place. A
    /// thread with a stack as small as some engines have walks them.
    @Test
    void optionalPropertiesNeedNoStack() throws Exception {
        Grammar grammar = ByteVocabulary.grammar(properties(5_000));
        List<Object> ends = new ArrayList<>();
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        ends.add(ByteVocabulary.matches(grammar, "{\"p00000\":null, \"p04998\":null,\"p04999\":null}"));
                        ends.add(ByteVocabulary.matches(grammar, "{\"p00002\":null,\"p00001\":null}"));
                    } catch (StackOverflowError e) {
                        ends.add(e);
                    }
                },
                "small-stack",
                256 << 10);
        thread.start();
        thread.join();
        assertThat(ends).containsExactly(true, false);
    }

    @Test
    void propertiesAreLimited() {
        assertRefused(properties(5_001), "properties", "5,000");
        String names = IntStream.range(0, 5_001).mapToObj(i -> "\"" + i + "\"").collect(Collectors.joining(","));
        assertRefused("{\"type\":\"object\",\"required\":[" + names + "]}", "required", "5,000");
    }

    @Test
    void namesThatAdditionalOnesMustDifferFromAreLimited() {
        String schema =
                properties(2_000).replace(":false", ":true").replace("\":{\"type", "x".repeat(20) + "\":{\"type");
        assertRefused(schema, "additionalProperties", "20,000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"enum", "const"})
    void textsAreLimited(String keyword) {
        ObjectNode schema = Json.object();
        if (keyword.equals("enum")) {
            IntStream.range(0, 20_000)
                    .forEach(i -> schema.withArray("enum").add(Integer.toString(i * 7919) + "x".repeat(20)));
        } else {
            schema.put("const", "x".repeat(250_000));
        }
        assertRefused(schema.toString(), keyword, "200,000 states");
    }

    @Test
    void textsShareTheirBeginnings() {
        ObjectNode schema = Json.object();
        for (int i = 0; i < 3_000; i++) {
            schema.withArray("enum").add("x".repeat(500) + i);
        }
        Grammar grammar = ByteVocabulary.grammar(schema.toString());
        assertThat(ByteVocabulary.matches(grammar, "\"" + "x".repeat(500) + "2999\""))
                .isTrue();
        assertThat(ByteVocabulary.matches(grammar, "\"" + "x".repeat(500) + "3000\""))
                .isFalse();
        Grammar nested = ByteVocabulary.grammar("{\"enum\":[1,12,123,\"\",\"é\",\"è\",12]}");
        for (String text : List.of("1", "12", "123", "\"\"", "\"é\"", "\"è\"")) {
            assertThat(ByteVocabulary.matches(nested, text)).as(text).isTrue();
        }
        for (String text : List.of("13", "1234", "\"", "\"e\"", "")) {
            assertThat(ByteVocabulary.matches(nested, text)).as(text).isFalse();
        }
    }

    @Test
    void alternativesAreLimited() {
        String options =
                IntStream.range(0, 1_001).mapToObj(i -> "{\"const\":" + i + "}").collect(Collectors.joining(","));
        assertRefused("{\"anyOf\":[" + options + "]}", "anyOf", "1,000");
    }

    /// References that are written as a list, not as nested schemas: no parser limits their depth.
    @Test
    void chainsOfReferencesAreLimited() {
        StringBuilder chain = new StringBuilder("{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
        for (int i = 0; i < 5_000; i++) {
            chain.append("\"a")
                    .append(i)
                    .append("\":{\"$ref\":\"#/$defs/a")
                    .append(i + 1)
                    .append("\"},");
        }
        assertRefused(chain.append("\"a5000\":true}}").toString(), "", "500");
    }

    /// Each definition refers to the one before it, which a search for schemas without values
    /// goes through in the worst order.
    @Test
    void manyReferencesToEarlierSchemasAreSearchedOnce() {
        StringBuilder schema = new StringBuilder("{\"type\":\"object\",\"properties\":{\"a0\":{\"type\":\"null\"}");
        for (int i = 1; i < 4_000; i++) {
            schema.append(",\"a")
                    .append(i)
                    .append("\":{\"$ref\":\"#/properties/a")
                    .append(i - 1)
                    .append("\"}");
        }
        assertThat(ByteVocabulary.matches(
                        ByteVocabulary.grammar(schema.append("}}").toString()), "{\"a3999\":null}"))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a|b)*a(a|b){18}",
                "((a{1,1000}){1,1000}){1,1000}",
                "(?:(?:(?:){9999}){9999}){9999}",
                "^(.?){3000}$"
            })
    void patternsThatGrowAreRefused(String pattern) {
        assertRefused(Json.object().put("pattern", pattern).toString(), "pattern", " needs more than ");
    }

    @Test
    void longPatternsAreRefused() {
        assertRefused(Json.object().put("pattern", "a".repeat(4_097)).toString(), "pattern", "4,096");
        assertThat(ByteVocabulary.matches(
                        ByteVocabulary.grammar(Json.object()
                                .put("pattern", "^" + "a".repeat(4_094) + "$")
                                .toString()),
                        "\"" + "a".repeat(4_094) + "\""))
                .isTrue();
    }

    /// Patterns that are cheap one by one have a limit together.
    @Test
    void allPatternsOfASchemaHaveOneLimit() {
        ObjectNode schema = Json.object().put("type", "object");
        for (int i = 0; i < 40; i++) {
            schema.withObject("properties").withObject("p" + i).put("pattern", "(a|b)*a(a|b){10}c" + i);
        }
        assertRefused(schema.toString(), "pattern", "together");
    }

    @Test
    void formatsNeedLittleOfTheLimit() {
        for (String format : Formats.names()) {
            Effort effort = Effort.limited(Effort.MOST_STEPS / 10);
            assertThat(Dfa.ofPattern(Formats.pattern(format), effort).isEmpty())
                    .as(format)
                    .isFalse();
        }
    }

    /// Three grammars whose masks take more than the budget that they share. The masks are the same
    /// as without a limit.
    @Test
    void grammarsShareABudgetForMasks() {
        GrammarVocabulary small = vocabulary(4_000);
        GrammarVocabulary large = vocabulary(1 << 30);
        String[] schemas = {"{\"type\":\"object\"}", properties(20), "{\"type\":\"array\",\"items\":{\"maxLength\":9}}"
        };
        byte[][] texts = {
            bytes("{\"a\\u00e9\":[1.5e3,true]}"), bytes("{\"p00003\":null,\"p00019\":null}"), bytes("[\"abc\",\"\\n\"]")
        };
        GrammarState[] states = new GrammarState[3];
        GrammarState[] expected = new GrammarState[3];
        for (int i = 0; i < 3; i++) {
            states[i] = Grammar.of(ByteVocabulary.json(schemas[i]), small).start();
            expected[i] = Grammar.of(ByteVocabulary.json(schemas[i]), large).start();
        }
        int[] mask = new int[small.maskInts()];
        int[] same = new int[small.maskInts()];
        for (int at = 0; at < 31; at++) {
            for (int i = 0; i < 3; i++) {
                if (at < texts[i].length) {
                    states[i].mask(mask);
                    expected[i].mask(same);
                    assertThat(mask).isEqualTo(same);
                    assertThat(small.maskBudget().bytes()).isLessThanOrEqualTo(4_000);
                    states[i].accept(texts[i][at]);
                    expected[i].accept(texts[i][at]);
                }
            }
        }
        assertThat(large.maskBudget().bytes()).isGreaterThan(4_000);
    }

    private static GrammarVocabulary vocabulary(long maskBytes) {
        return GrammarVocabulary.withMaskBytes(
                maskBytes,
                257,
                id -> id == ByteVocabulary.END ? new byte[0] : new byte[] {(byte) id},
                ByteVocabulary.END);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
