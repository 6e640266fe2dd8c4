package io.shadowkv.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Which texts are in the grammar of a schema, and which are not.
class SchemaTableTest {
    private record Row(String schema, List<String> matching, List<String> other) {}

    /// The rows of `schemas.txt`: a line `=` begins a schema, `+` is a text that is in its grammar, `-` one that is
    /// not.
    private static List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line : table().split("\n")) {
            String text = line.substring(2);
            switch (line.charAt(0)) {
                case '=' -> rows.add(new Row(text, new ArrayList<>(), new ArrayList<>()));
                case '+' -> rows.getLast().matching.add(text);
                default -> rows.getLast().other.add(text);
            }
        }
        return rows;
    }

    private static String table() throws IOException {
        try (InputStream table = Objects.requireNonNull(SchemaTableTest.class.getResourceAsStream("schemas.txt"))) {
            return new String(table.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @TestFactory
    List<DynamicTest> matchesWhatTheSchemaAllows() throws IOException {
        return rows().stream()
                .map(row -> DynamicTest.dynamicTest(row.schema, () -> {
                    Grammar grammar = ByteVocabulary.grammar(row.schema);
                    assertThat(row.matching).allMatch(text -> ByteVocabulary.matches(grammar, text));
                    assertThat(row.other).noneMatch(text -> ByteVocabulary.matches(grammar, text));
                }))
                .toList();
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        Grammar grammar = ByteVocabulary.grammar("{\"type\":\"string\"}");
        int[][] bad = {{0x80}, {0xc0, 0x80}, {0xe0, 0x80, 0x80}, {0xed, 0xa0, 0x80}, {0xf4, 0x90, 0x80, 0x80}, {0xff}};
        for (int[] bytes : bad) {
            byte[] text = new byte[bytes.length + 2];
            text[0] = '"';
            for (int i = 0; i < bytes.length; i++) {
                text[i + 1] = (byte) bytes[i];
            }
            text[text.length - 1] = '"';
            assertThat(ByteVocabulary.matches(grammar, text)).isFalse();
        }
    }

    @Test
    void anyObjectIsNestedSoDeepAndNoDeeper() {
        Grammar grammar = Grammar.anyObject(ByteVocabulary.vocabulary());
        assertThat(ByteVocabulary.matches(grammar, "{}")).isTrue();
        assertThat(ByteVocabulary.matches(grammar, "{\"a\":1, \"b\":[\"c\",{}]}"))
                .isTrue();
        assertThat(ByteVocabulary.matches(grammar, "[]")).isFalse();
        assertThat(ByteVocabulary.matches(grammar, " {}")).isFalse();
        assertThat(ByteVocabulary.matches(grammar, nested(AnyJson.DEEPEST - 1))).isTrue();
        assertThat(ByteVocabulary.matches(grammar, nested(AnyJson.DEEPEST))).isFalse();
    }

    private static String nested(int arrays) {
        return "{\"a\":" + "[".repeat(arrays) + "]".repeat(arrays) + "}";
    }

    @Test
    void endsOnlyWhereTheTextIsComplete() {
        GrammarState state = ByteVocabulary.grammar("{\"type\":\"integer\"}").start();
        assertThat(state.isComplete()).isFalse();
        assertThat(state.allows(ByteVocabulary.END)).isFalse();
        state.accept('-');
        assertThat(state.isComplete()).isFalse();
        state.accept('1');
        assertThat(state.isComplete()).isTrue();
        GrammarState other = state.copy();
        state.accept(ByteVocabulary.END);
        assertThat(state.isEnded()).isTrue();
        assertThat(state.mask(new int[9])).isFalse();
        assertThat(state.allows('2')).isFalse();
        assertThat(other.isEnded()).isFalse();
        other.accept('2');
        int[] mask = new int[9];
        assertThat(other.mask(mask)).isTrue();
        assertThat(mask[8]).isEqualTo(1);
    }
}
