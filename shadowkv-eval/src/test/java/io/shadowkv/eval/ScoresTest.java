package io.shadowkv.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ScoresTest {
    @Test
    void isTheShareOfReferencesFound() {
        assertThat(Scores.stringMatchAll(" 1234567, 7654321.", List.of("1234567", "7654321")))
                .isEqualTo(1);
        assertThat(Scores.stringMatchAll(" 1234567.", List.of("1234567", "7654321", "1111111", "2222222")))
                .isEqualTo(0.25);
        assertThat(Scores.stringMatchAll("", List.of("1"))).isZero();
    }

    @Test
    void looksAtWholeStringsInAnyCase() {
        assertThat(Scores.stringMatchAll("It is GREEN-hat", List.of("green-HAT")))
                .isEqualTo(1);
        assertThat(Scores.stringMatchAll("123 4567", List.of("1234567"))).isZero();
    }

    @Test
    void cleansTheAnswerAsRulerDoes() {
        assertThat(Scores.cleaned(" a\tb\u0007c\n ")).isEqualTo("a\nb\nc");
    }

    @Test
    void anyReferenceIsEnoughForAPart() {
        assertThat(Scores.stringMatchPart(" In LONDON, I think.", List.of("Paris", "London")))
                .isEqualTo(1);
        assertThat(Scores.stringMatchPart("Lond on", List.of("Paris", "London")))
                .isZero();
        assertThat(Scores.stringMatchPart("", List.of("Paris")))
                .as("the paper's own gives this full marks")
                .isZero();
    }

    @Test
    void needsReferences() {
        assertThatThrownBy(() -> Scores.stringMatchPart("a", List.of())).hasMessageContaining("references");
        assertThatThrownBy(() -> Scores.stringMatchAll("a", List.of())).hasMessageContaining("references");
    }
}
