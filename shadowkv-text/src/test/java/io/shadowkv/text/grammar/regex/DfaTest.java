package io.shadowkv.text.grammar.regex;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Automata of patterns against `java.util.regex`, and of integers against comparison.
class DfaTest {
    private static final List<String> CHARACTERS =
            List.of("a", "b", "c", "x", "1", "9", " ", "_", "-", ".", "é", "€", "😀", "Z", "~", "/");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^abc$",
                "a",
                "^a",
                "a$",
                "^(a|bc)*x?$",
                "^[a-c]{2,4}$",
                "^[^a-c]+$",
                "^.$",
                "^..?.?$",
                "\\d+",
                "^\\w*$",
                "^\\W*$",
                "^\\D{2}\\S?$",
                "^(?:ab)+c|x{2,}$",
                "^(?<name>a|b)+?$",
                "^[\\w.-]+$",
                "^[-a]+$",
                "^[a-]+$",
                "^[\\]a]+$",
                "^\\u00e9\\u20AC?$",
                "^[é-€]+$",
                "^\\ud83d\\ude00$",
                "^\\.\\/\\-$",
                "^a{0}b{1}c{0,2}$",
                "^(a*b*)*$",
                "^(|a)b$",
                "^$",
                "",
            })
    void matchesWhatTheJdkMatches(String pattern) {
        Random random = new Random(pattern.hashCode());
        Dfa dfa = Dfa.ofPattern(pattern, Effort.limited());
        // ECMA-262 ends a line at fewer characters than Java does, and the alternatives here have no line ends.
        Pattern expected = Pattern.compile(pattern.replace("$", "\\z"));
        int matches = 0;
        for (int i = 0; i < 4000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(6); length > 0; length--) {
                text.append(CHARACTERS.get(random.nextInt(i % 2 == 0 ? 4 : CHARACTERS.size())));
            }
            boolean isExpected = expected.matcher(text).find();
            assertThat(dfa.matches(text.toString())).as(text.toString()).isEqualTo(isExpected);
            matches += isExpected ? 1 : 0;
        }
        assertThat(matches > 0 || pattern.contains("u") || pattern.contains("\\/"))
                .isTrue();
    }

    @Test
    void literalsMatchThemselves() {
        assertThat(Dfa.ofPattern("^\\u00e9\\u20AC?$", Effort.limited()).matches("é€"))
                .isTrue();
        assertThat(Dfa.ofPattern("^\\ud83d\\ude00$", Effort.limited()).matches("😀"))
                .isTrue();
        assertThat(Dfa.ofPattern("^\\.\\/\\-$", Effort.limited()).matches("./-"))
                .isTrue();
        assertThat(Dfa.ofPattern("^\\u{1F600}\\x41\\0$", Effort.limited()).matches("😀A\\u0000"))
                .isTrue();
    }

    /// Characters that JSON escapes are matched by their escape.
    @Test
    void escapesHaveOneSpelling() {
        Dfa any = Dfa.ofLength(1, 1, Effort.limited());
        for (String one : List.of("a", "é", "\\n", "\\\"", "\\\\", "\\u0000", "\\u001F", "\\b", "\u007f")) {
            assertThat(any.matches(one)).as(one).isTrue();
        }
        for (String one : List.of("\"", "\\", "\n", "\\/", "\\u0041", "\\u001f", "\\u000A", "ab", "")) {
            assertThat(any.matches(one)).as(one).isFalse();
        }
        assertThat(Dfa.ofPattern("^\\s$", Effort.limited()).matches("\\n")).isTrue();
        assertThat(Dfa.ofPattern("^[\\b]$", Effort.limited()).matches("\\b")).isTrue();
        assertThat(Dfa.ofPattern("^.$", Effort.limited()).matches("\\n")).isFalse();
        assertThat(Dfa.ofPattern("^\"\\\\$", Effort.limited()).matches("\\\"\\\\"))
                .isTrue();
    }

    @Test
    void sets() {
        Dfa both =
                Dfa.ofPattern("^a*b*$", Effort.limited()).and(Dfa.ofLength(2, 3, Effort.limited()), Effort.limited());
        assertThat(both.matches("aab")).isTrue();
        assertThat(both.matches("b")).isFalse();
        assertThat(both.matches("aabb")).isFalse();
        Dfa rest = Dfa.ofPattern("^a*$", Effort.limited()).without(Dfa.ofTexts(List.of("", "aa")), Effort.limited());
        assertThat(rest.matches("a")).isTrue();
        assertThat(rest.matches("aaa")).isTrue();
        assertThat(rest.matches("aa")).isFalse();
        assertThat(rest.matches("")).isFalse();
        assertThat(Dfa.ofPattern("^a$", Effort.limited())
                        .and(Dfa.ofPattern("^b$", Effort.limited()), Effort.limited())
                        .isEmpty())
                .isTrue();
        assertThat(Dfa.ofTexts(List.of("")).isEmpty()).isFalse();
        assertThat(Dfa.ofTexts(List.of("")).matches("")).isTrue();
    }

    @Test
    void integersLieWithinTheirBounds() {
        Random random = new Random(3);
        for (int i = 0; i < 400; i++) {
            long low = random.nextInt(4001) - 2000;
            long high = low + random.nextInt(i % 2 == 0 ? 30 : 3000);
            Dfa dfa =
                    Dfa.ofNumbers(new NumberRange(BigDecimal.valueOf(low), false, BigDecimal.valueOf(high), false, 0));
            for (long value = -6000; value <= 6000; value += i % 2 == 0 ? 1 : 7) {
                assertThat(dfa.matches(Long.toString(value)))
                        .as("%s in %s to %s", value, low, high)
                        .isEqualTo(value >= low && value <= high);
            }
            assertThat(dfa.matches("-0") || dfa.matches("00") || dfa.matches("-") || dfa.matches(""))
                    .isFalse();
        }
    }

    @Test
    void decimalsLieWithinTheirBounds() {
        Random random = new Random(4);
        for (int i = 0; i < 200; i++) {
            BigDecimal low = BigDecimal.valueOf(random.nextInt(4001) - 2000, random.nextInt(4));
            BigDecimal high = low.add(BigDecimal.valueOf(1 + random.nextInt(3000), random.nextInt(4)));
            NumberRange range = new NumberRange(low, random.nextBoolean(), high, random.nextBoolean(), 3);
            Dfa dfa = Dfa.ofNumbers(range);
            for (int j = 0; j < 300; j++) {
                BigDecimal value = switch (j) {
                    case 0 -> low;
                    case 1 -> high;
                    default -> BigDecimal.valueOf(random.nextInt(8001) - 4000, random.nextInt(4));
                };
                boolean isNegativeZero =
                        value.signum() == 0 && value.toPlainString().startsWith("-");
                assertThat(isNegativeZero || dfa.matches(value.toPlainString()) == range.contains(value))
                        .as("%s in %s", value, range)
                        .isTrue();
            }
            assertThat(dfa.matches("-0") || dfa.matches("-0.0") || dfa.matches("1.") || dfa.matches("1.0000"))
                    .isFalse();
        }
    }

    @Test
    void saysWhereAPatternIsNotUnderstood() {
        assertThatThrownBy(() -> Dfa.ofPattern("ab(?!c)", Effort.limited()))
                .isInstanceOf(RegexException.class)
                .hasMessageContaining("\"ab(?!c)\"")
                .hasMessageContaining("character 4");
        assertThatThrownBy(() -> Dfa.ofPattern("(a|b)*a(a|b){18}", Effort.limited()))
                .isInstanceOf(RegexException.class)
                .hasMessageContaining("20,000 states");
        assertThatThrownBy(() -> Dfa.ofPattern("(".repeat(300) + ")".repeat(300), Effort.limited()))
                .isInstanceOf(RegexException.class)
                .hasMessageContaining("200 groups");
    }
}
