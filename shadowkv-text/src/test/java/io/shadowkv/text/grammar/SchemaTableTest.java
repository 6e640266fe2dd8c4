package io.shadowkv.text.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Which texts are in the grammar of a schema, and which are not.
class SchemaTableTest {
    /// A line `=` begins a schema; `+` is a text that is in its grammar, `-` one that is not.
    private static final String TABLE = """
            = {"type":"string"}
            + ""
            + "a b"
            + "é€😀"
            + "\\"\\\\\\/\\b\\f\\n\\r\\t"
            + "\\u00e9\\u20AC"
            + "\\uD83D\\uDE00"
            + "\\ud83d\\ude00\\ud7ff\\ue000"
            - a
            - "
            - "a
            - "a"b
            - "\\x"
            - "\\u12"
            - "\\uD83D"
            - "\\uD83Dx"
            - "\\uD83D\\n"
            - "\\uD83D\\u0041"
            - "\\uDE00"
            - "	"
            = {"type":"integer"}
            + 0
            + 7
            + -12
            + 9999999999999999999
            - 01
            - -0
            - 1.0
            - 1e3
            - +1
            - 10000000000000000000
            = {"type":"number"}
            + 0
            + -0.5
            + 12.25
            + 1e9
            + 1.5E-7
            + 2e+08
            - .5
            - 1.
            - 00
            - 1e
            - 1e100
            - NaN
            = {"type":"boolean"}
            + true
            + false
            - True
            - "true"
            = {"type":"null"}
            + null
            - nul
            = {"type":["string","null"]}
            + null
            + "x"
            - 1
            = {"type":["integer","number"]}
            + 1.5
            + 3
            = {"type":"integer","minimum":-3,"maximum":12}
            + -3
            + -1
            + 0
            + 9
            + 10
            + 12
            - -4
            - 13
            - 20
            - 100
            - -10
            = {"type":"integer","exclusiveMinimum":17,"exclusiveMaximum":205.5}
            + 18
            + 20
            + 99
            + 100
            + 205
            - 17
            - 1
            - 206
            - 1000
            = {"type":"number","minimum":-0.25,"exclusiveMaximum":12.5}
            + 0
            + 12
            + 0.0
            + 12.49999
            + -0.25
            + -0.2499
            + 7.00
            - 12.5
            - 12.50
            - -0.2500001
            - -1
            - -0
            - -0.0
            - 13
            - 1e0
            - 120
            - 01
            - 5.
            = {"minimum":0}
            + 0
            + 0.5
            + 9999999999999999999.99
            - -1
            - -0.1
            = {"type":"integer","minimum":0.5}
            + 1
            + 9999999999999999999
            - 0
            - -1
            = {"type":"integer","maximum":-5}
            + -5
            + -9999999999999999999
            + -10
            - -4
            - 0
            - 5
            = {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a","b"],"additionalProperties":false}
            + {"a":1,"b":"x"}
            + {"a": 1, "b": "x"}
            - {"b":"x","a":1}
            - {"a":1}
            - {"a":1,"b":"x","c":1}
            - {"a":1,"b":"x",}
            - { "a":1,"b":"x"}
            - {"a" :1,"b":"x"}
            - {"a":  1,"b":"x"}
            - {"a":1 ,"b":"x"}
            - {"a":1,"b":"x"}\s
            - {"a":1,"b":"x" }
            - {"a":1,"a":1,"b":"x"}
            = {"properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"required":["b"]}
            + {"b":1}
            + {"a":1,"b":2}
            + {"b":1, "c":2}
            + {"a":1,"b":2,"c":3}
            - {}
            - {"a":1}
            - {"c":1}
            - {"a":1,"c":2}
            - {,"b":1}
            - {"b":1,}
            - {"b":1,"d":1}
            = {"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}}}
            + {}
            + {"a":1}
            + {"b":1}
            + {"a":1,"b":2}
            - {"b":1,"a":2}
            = {"type":"object","properties":{"name":{"type":"integer"},"né\\"":{"type":"null"}},"additionalProperties":{"type":"string"}}
            + {}
            + {"name":1}
            + {"name":1,"x":"y"}
            + {"na":"y","namex":"","né":"z"}
            + {"né\\"":null,"\\n":"y"}
            + {"x":"1","x":"2"}
            - {"name":"y"}
            - {"x":"y","name":"z"}
            - {"n\\u0061me":"y"}
            - {"né\\"":"y"}
            - {"x":1}
            - {"x":"y","name":1}
            = {"type":"object","additionalProperties":{"type":"integer"}}
            + {}
            + {"a":1,"\\u0061":2}
            - {"a":"b"}
            = {"type":"object","additionalProperties":false}
            + {}
            - {"a":1}
            = {"type":"object","required":["k"],"additionalProperties":{"type":"boolean"}}
            + {"k":true}
            + {"k":true,"l":false}
            - {"l":true}
            - {"k":1}
            = {"type":"object","properties":{"a":true},"required":["z"]}
            + {"a":[1],"z":{"y":null}}
            - {"a":1}
            = {"type":"array","items":{"type":"integer"}}
            + []
            + [1]
            + [1,2, 3]
            - [1,]
            - [,1]
            - [ 1]
            - [1 ,2]
            - ["a"]
            = {"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":4}
            + [1,2]
            + [1,2,3]
            + [1,2,3,4]
            - []
            - [1]
            - [1,2,3,4,5]
            = {"items":{"type":"null"},"maxItems":0}
            + []
            - [null]
            = {"items":{"type":"null"},"minItems":1,"maxItems":1}
            + [null]
            - []
            - [null,null]
            = {"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}
            + []
            + [1]
            + [1,"a"]
            - ["a"]
            - [1,"a",2]
            = {"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":3,"maxItems":4}
            + [1,"a",null]
            + [1,"a",null,null]
            - [1,"a"]
            - [1,"a",null,null,null]
            - [1,"a",2]
            = {"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":1,"maxItems":1}
            + [1]
            - []
            - [1,"a"]
            = {"type":"string","minLength":2,"maxLength":3}
            + "ab"
            + "abc"
            + "é€"
            + "😀😀😀"
            + "\\n\\u0041"
            + "\\uD83D\\uDE00a"
            - ""
            - "a"
            - "\\uD83D\\uDE00"
            - "abcd"
            - "😀"
            = {"type":"string","minLength":1}
            + "a"
            + "abcdef"
            - ""
            = {"type":"string","maxLength":0}
            + ""
            - "a"
            = {"type":"string","pattern":"^[a-c]+x?$"}
            + "abc"
            + "ax"
            - ""
            - "x"
            - "axx"
            - "ad"
            = {"type":"string","pattern":"b\\\\d"}
            + "b1"
            + "aab1zé"
            + "\\nb9\\""
            - "b"
            - "ab"
            = {"type":"string","pattern":"^a|b$"}
            + "a"
            + "axx"
            + "xxb"
            - "xx"
            - "ba"
            = {"type":"string","pattern":"^\\\\S+$","maxLength":3}
            + "a"
            + "abc"
            + "é\\"\\\\"
            - ""
            - "abcd"
            - "a b"
            = {"type":"string","format":"date"}
            + "2024-02-29"
            + "2000-02-29"
            + "1999-12-31"
            - "2023-02-29"
            - "1900-02-29"
            - "2024-04-31"
            - "2024-13-01"
            - "24-01-01"
            = {"type":"string","format":"time"}
            + "23:59:59Z"
            + "00:00:00.123+02:00"
            - "24:00:00Z"
            - "12:00"
            = {"type":"string","format":"date-time"}
            + "2024-02-29T10:00:00Z"
            - "2024-02-30T10:00:00Z"
            - "2024-02-29 10:00:00Z"
            = {"type":"string","format":"uuid"}
            + "123e4567-e89b-12d3-a456-426614174000"
            - "123e4567e89b12d3a456426614174000"
            = {"type":"string","format":"ipv4"}
            + "255.0.10.1"
            - "256.0.0.1"
            - "1.2.3"
            = {"type":"string","format":"ipv6"}
            + "::"
            + "::1"
            + "fe80::1:2"
            + "1:2:3:4:5:6:7:8"
            + "1:2:3:4:5:6:7::"
            - "1:2:3:4:5:6:7"
            - "1::2::3"
            - "12345::"
            = {"type":"string","format":"email"}
            + "a.b@example.org"
            - "a@"
            - "@b"
            = {"type":"string","format":"hostname"}
            + "example.org"
            - "-a.org"
            = {"type":"string","format":"duration"}
            + "P3D"
            + "P1Y2M3DT4H5M6S"
            + "PT36H"
            + "P2W"
            - "P"
            - "PT"
            - "3D"
            = {"enum":["red","green",1,null,true,{"a":[1,2]},"ré\\n"]}
            + "red"
            + 1
            + null
            + true
            + {"a":[1,2]}
            + "ré\\n"
            - "blue"
            - {"a": [1,2]}
            - "re"
            = {"type":"string","enum":["a","b",3]}
            + "a"
            - 3
            = {"const":"x"}
            + "x"
            - "y"
            = {"anyOf":[{"type":"integer"},{"type":"object","properties":{"a":{"type":"null"}},"required":["a"]},{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"required":["a","b"]}]}
            + 1
            + {"a":null}
            + {"a":null,"b":null}
            - {}
            - {"b":null}
            = {"oneOf":[{"type":"integer"},{"type":"number"}]}
            + 1
            + 1.5
            = {"allOf":[{"type":"null"}],"description":"d"}
            + null
            - 1
            = {"$ref":"#/$defs/t~1x","$defs":{"t/x":{"type":"null"}}}
            + null
            = {"$defs":{"list":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/list"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/list"}
            + {"v":1,"next":null}
            + {"v":1,"next":{"v":2,"next":{"v":3,"next":null}}}
            - {"v":1,"next":{"v":2}}
            - {"v":1}
            = {"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}}
            + {}
            + {"children":[{},{"children":[]}]}
            - {"children":[1]}
            = {}
            + 1
            + "a"
            + [1,{"a":[null,true]}]
            + {"a":{},"b":[]}
            - [1
            - {"a"}
            = true
            + {"a":1}
            = {"title":"T","description":"d","default":1,"examples":[1],"$schema":"s","$id":"i","$comment":"c","x-order":3,"type":"null"}
            + null
            = {"type":"integer","maxLength":3}
            + 12345
            = {"anyOf":[{"type":"null"},{"$ref":"#/$defs/endless"}],"$defs":{"endless":{"type":"object","properties":{"a":{"$ref":"#/$defs/endless"}},"required":["a"]}}}
            + null
            - {"a":null}
            """;

    private record Row(String schema, List<String> matching, List<String> other) {}

    private static List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (String line : TABLE.split("\n")) {
            String text = line.substring(2);
            switch (line.charAt(0)) {
                case '=' -> rows.add(new Row(text, new ArrayList<>(), new ArrayList<>()));
                case '+' -> rows.getLast().matching.add(text);
                default -> rows.getLast().other.add(text);
            }
        }
        return rows;
    }

    @TestFactory
    List<DynamicTest> matchesWhatTheSchemaAllows() {
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
