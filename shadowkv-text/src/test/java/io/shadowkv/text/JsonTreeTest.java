package io.shadowkv.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Trees are those of Jackson's mapper, in both directions.
final class JsonTreeTest {
    private static final JsonFactory FACTORY = new JsonFactory();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "null",
                "true",
                "\"a\\n\\u00e9\\\"\\ud83d\\ude00\\u0001\"",
                "{\"a\": [1, -2, 3000000000, 123456789012345678901234567890], \"b\": {\"c\": null, \"d\": [true, false]}}",
                "[0.1, 1e-5, 1e300, -0.0, 1.0]",
                "{\"a\": 1, \"a\": 2}",
                " [ [ [ ] ] ] "
            })
    void aTreeIsTheMappers(String text) {
        JsonNode tree = JsonTree.read(FACTORY, text);
        JsonNode mapped = JsonMapper.shared().readTree(text);
        assertThat(tree).isEqualTo(mapped);
        assertThat(JsonTree.text(tree)).isEqualTo(mapped.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\" 1}", "[1, 2", "{} {}", "[1] x", "nul", "{\"a\": }", "]"})
    void whatIsNotOneValueIsRefused(String text) {
        assertThatThrownBy(() -> JsonTree.read(FACTORY, text)).isInstanceOf(JacksonException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  "})
    void nothingIsMissing(String text) {
        assertThat(JsonTree.read(FACTORY, text).isMissingNode()).isTrue();
    }
}
