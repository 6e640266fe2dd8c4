package io.shadowkv.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.RaisedException;
import java.io.IOException;
import java.io.InputStream;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// Compares templates with the output of Jinja2, and tests the limits on faulty templates.
class TemplateTest {
    private static final ZonedDateTime NOW = ZonedDateTime.of(2026, 3, 7, 5, 4, 9, 0, ZoneOffset.UTC);

    /// Well-known chat templates with all expressions and statements; see `about` in the file.
    @TestFactory
    @SuppressWarnings("unchecked")
    Stream<DynamicTest> rendersAsJinja2() throws IOException {
        Map<String, Object> file = cases();
        Map<String, String> templates = (Map<String, String>) file.get("templates");
        Map<String, Map<String, Object>> variables = (Map<String, Map<String, Object>>) file.get("variables");
        return ((List<Map<String, String>>) Objects.requireNonNull(file.get("cases")))
                .stream()
                        .map(one -> DynamicTest.dynamicTest(one.get("name"), () -> {
                            String source =
                                    one.containsKey("source") ? one.get("source") : templates.get(one.get("template"));
                            Map<String, Object> given = variables.get(one.get("variables"));
                            if (one.containsKey("expected")) {
                                assertThat(render(source, given)).as(source).isEqualTo(one.get("expected"));
                            } else {
                                assertThatThrownBy(() -> render(source, given))
                                        .as(one.get("error"))
                                        .isInstanceOfAny(JinjaException.class, RaisedException.class);
                            }
                        }));
    }

    /// Expressions with additional arguments, each with the output of Jinja2 3.1.6, or null if
    /// Jinja2 fails. An unsupported expression must not produce a different prompt.
    @TestFactory
    Stream<DynamicTest> heedsOrRefusesEveryArgument() throws IOException {
        return Stream.of(read("arguments.json", String[][].class))
                .map(one -> DynamicTest.dynamicTest(one[0], () -> {
                    String source = "{{ " + one[0] + " }}";
                    if (one[1] != null) {
                        assertThat(render(source, Map.of())).isEqualTo(one[1]);
                    } else {
                        assertThatThrownBy(() -> render(source, Map.of()))
                                .isInstanceOf(JinjaException.class)
                                .hasMessageStartingWith("line 1: ");
                    }
                }));
    }

    @Test
    void raisesInTheTemplatesWords() {
        assertThatThrownBy(() -> render("{{ raise_exception('roles must ' ~ 'alternate') }}", Map.of()))
                .isInstanceOf(RaisedException.class)
                .hasMessage("roles must alternate");
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void saysWhereAndWhatItFound(String source, String message) {
        assertThatThrownBy(() -> render(source, Map.of("x", Map.of())))
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining(message);
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("a\nb{% if x %}\n{% endfor %}", "line 3: found the statement \"endfor\""),
                Arguments.of("a\n{{ 1 + }}", "line 2: found the end of the expression, expected an expression"),
                Arguments.of("a\n\n{{ x.y.z }}", "line 3: the field \"y\" of a mapping of 0 is undefined"),
                Arguments.of(
                        "{% for a in b %}", "line 1: the template ends where {% else %} or {% endfor %} is expected"),
                Arguments.of("{{ 'a' | nothing }}", "line 1: there is no filter \"nothing\" here"),
                Arguments.of("{{ 'a", "line 1: a string is not closed by '"),
                Arguments.of("{{ 1 ? 2 }}", "line 1: unexpected character '?' in a tag"),
                Arguments.of("{% set x.y = 1 %}", "only a field of a namespace can be set"),
                Arguments.of("{{ [].append(1) }}", "line 1: a template may not change a list"),
                Arguments.of("{{ 'a'.find('b', 1, 2, 3) }}", "find takes the arguments [sub, start, end], but got 4"),
                Arguments.of("{{ 'a'|center(5, '*') }}", "center takes the arguments [width], but got 2"),
                Arguments.of("{{ 'a'|indent(width=2, by=1) }}", "indent has no argument named \"by\""),
                Arguments.of("{{ 'a'.split(',', sep=';') }}", "the argument sep of split is given twice"),
                Arguments.of("{{ 'a'.replace('a') }}", "the argument 2 (new) of replace is missing"),
                Arguments.of("{{ ('9' * 30) | int }}", "a number does not fit 64 bits"),
                Arguments.of("{{ '{:>5q}'.format(1) }}", "of type q cannot be applied to 1"),
                Arguments.of("{{ 1" + " + 1".repeat(100_000) + " }}", "nested too deep"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
                "{% set n = namespace(l=[1]) %}{% for i in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
                "{{ range(99999999999) }}",
                "{{ 'a' * 99999999999 }}",
                "{{ [1] * 99999999999 }}",
                "{{ 9 ** 9 ** 9 }}",
                "{{ 'a'.center(99999999999) }}",
            })
    void stopsTemplatesThatRunAway(String source) {
        assertThatThrownBy(() -> render(source, Map.of())).isInstanceOf(JinjaException.class);
    }

    @Test
    void refusesDeepNestingInsteadOfOverflowingTheStack() {
        for (String open : new String[] {"(", "[", "{1:", "-", "a[", "f("}) {
            String source = "{{ " + open.repeat(100_000) + "1 }}";
            assertThatThrownBy(() -> Template.of(source)).isInstanceOf(JinjaException.class);
        }
        assertThatThrownBy(() -> Template.of("{% if 1 %}".repeat(100_000))).isInstanceOf(JinjaException.class);
    }

    @Test
    void anyNumberOfNotsIsRead() {
        assertThat(render("{{ " + "not ".repeat(100_001) + "0 }}", Map.of())).isEqualTo("True");
    }

    @Test
    void branchesOfAnyNumberAreRead() {
        String branches = "{% elif x == 1 %}a".repeat(3000);
        assertThat(render("{% if x == 2 %}b" + branches + "{% else %}c{% endif %}", Map.of("x", 3)))
                .isEqualTo("c");
    }

    private static String render(String source, Map<String, ?> variables) {
        return Template.of(source).render(variables, NOW);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> cases() throws IOException {
        return read("cases.json", LinkedHashMap.class);
    }

    private static <T> T read(String file, Class<T> type) throws IOException {
        try (InputStream stream = TemplateTest.class.getResourceAsStream(file)) {
            return new JsonMapper().readValue(Objects.requireNonNull(stream), type);
        }
    }
}
