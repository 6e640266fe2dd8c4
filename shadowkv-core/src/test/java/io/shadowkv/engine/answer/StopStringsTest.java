package io.shadowkv.engine.answer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Stop strings in streams of text and of special tokens, which stand in angle brackets.
class StopStringsTest {
    @ParameterizedTest
    @CsvSource({
        "<eot>, a b <eot> c, ab",
        "<eot>, a <pad> <eot> c, a",
        // The same in the characters of ordinary tokens.
        "<eot>, a x<e ot> b, ax",
        // A stop string of text alone does not see hidden tokens.
        "ab, a <pad> b c, ''",
        "bc, a b <pad> c d, a",
        "<, a <pad> b, ab",
        "pad, a <pad> b, ab",
        "t, a <eot> b, ab",
        // Text and token together, in order and next to each other.
        "b<eot>, a b <eot> c, a",
        "b<eot>, a b <pad> <eot> c, abc",
        "<eot>c, a b <eot> c, ab",
        "<eot>c, a b <eot> d, abd",
        "<eot><pad>, a <eot> <pad> b, a",
        // What only begins is text after all.
        "abcd, a b c, abc",
        "bc<eot>, a b c, abc",
    })
    void endsBeforeAStopString(String stop, String stream, String expected) {
        StopStrings stops = new StopStrings(List.of(stop, "never said"), text -> text.matches(".*<\\w+>.*"));
        StringBuilder shown = new StringBuilder();
        for (String piece : stream.split(" ")) {
            shown.append(piece.startsWith("<") ? stops.pushToken(piece) : stops.push(piece));
        }
        shown.append(stops.finish());
        assertThat(shown).hasToString(expected);
        String whole = stream.replaceAll("(?<= )<\\w+>(?= |$)| ", "");
        assertThat(stops.isFound()).isEqualTo(!expected.equals(whole));
    }

    @Test
    void holdsBackNoMoreThanTheBeginningOfAStopString() {
        StopStrings stops = new StopStrings(List.of("b<eot>", "xyz"), text -> text.contains("<"));
        assertThat(stops.push("ab")).isEqualTo("a");
        assertThat(stops.pushToken("<pad>")).isEqualTo("b");
        assertThat(stops.push("xy")).isEmpty();
        assertThat(stops.pushToken("<pad>")).isEmpty();
        assertThat(stops.push("q")).isEqualTo("xyq");
        assertThat(stops.push("b")).isEmpty();
        assertThat(stops.pushToken("<eot>")).isEmpty();
        assertThat(stops.isFound()).isTrue();
        assertThat(stops.push("more") + stops.finish()).isEmpty();
    }
}
