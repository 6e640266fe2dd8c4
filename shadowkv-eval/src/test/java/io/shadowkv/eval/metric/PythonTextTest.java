package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PythonTextTest {
    @Test
    void whitespaceIsPythons() {
        int[] blanks = IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
                .filter(PythonText::isBlank)
                .toArray();
        assertThat(blanks)
                .containsExactly(
                        0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001,
                        0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f,
                        0x205f, 0x3000);
    }

    @Test
    void punctuationIsAscii() {
        String found = IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
                .filter(PythonText::isPunctuation)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        assertThat(found).isEqualTo("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
    }

    @Test
    void splitsAsPython() {
        assertThat(PythonText.split("\u00a0a\u2028 b\u001f")).containsExactly("a", "b");
        assertThat(PythonText.split("a,,b,", ',')).containsExactly("a", "", "b", "");
        assertThat(PythonText.split("", ',')).containsExactly("");
        assertThat(PythonText.strip("\u3000 x\u200b\u0085")).isEqualTo("x\u200b");
    }

    @Test
    void numbersAndWordsAreOfAllUnicode() {
        assertThat(PythonText.numbers("12, ٣٤ x5²")).containsExactly("12", "٣٤", "5");
        assertThat(PythonText.words("naïve x_1² 東京\u0301,Ⅻ")).containsExactly("naïve", "x_1²", "東京", "Ⅻ");
    }

    @Test
    void lowersAsPython() {
        assertThat(PythonText.lower("İSTANBUL ẞ ǅ")).isEqualTo("i\u0307stanbul ß ǆ");
        assertThat(PythonText.lower("ΟΣ-ΟΣ ΟΣ.Α Σ ΟΣ́Α ΟΣ’")).isEqualTo("ος-ος οσ.α σ οσ́α ος’");
    }

    /// The output of `repr`.
    @Test
    void stringsAreQuotedAsPythonDoes() {
        assertThat(PythonText.quoted("A1")).isEqualTo("'A1'");
        assertThat(PythonText.quoted("it's")).isEqualTo("\"it's\"");
        assertThat(PythonText.quoted("it's \"so\"")).isEqualTo("'it\\'s \"so\"'");
        assertThat(PythonText.quoted("a\n\t\\b\u0007é漢")).isEqualTo("'a\\n\\t\\\\b\\x07é漢'");
    }
}
