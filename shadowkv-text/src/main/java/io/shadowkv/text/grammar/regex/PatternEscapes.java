package io.shadowkv.text.grammar.regex;

import org.jspecify.annotations.Nullable;

/// The character sets that a letter behind a backslash names, as ECMA-262 defines them.
final class PatternEscapes {
    static final CodePoints LINE_ENDS =
            CodePoints.of('\n').or(CodePoints.of('\r')).or(CodePoints.of(0x2028, 0x2029));

    private static final CodePoints DIGITS = CodePoints.of('0', '9');
    private static final CodePoints WORD =
            DIGITS.or(CodePoints.of('a', 'z')).or(CodePoints.of('A', 'Z')).or(CodePoints.of('_'));
    private static final CodePoints BLANKS = LINE_ENDS
            .or(CodePoints.of('\t'))
            .or(CodePoints.of(0x0b, 0x0c))
            .or(CodePoints.of(' '))
            .or(CodePoints.of(0xa0))
            .or(CodePoints.of(0x1680))
            .or(CodePoints.of(0x2000, 0x200a))
            .or(CodePoints.of(0x202f))
            .or(CodePoints.of(0x205f))
            .or(CodePoints.of(0x3000))
            .or(CodePoints.of(0xfeff));

    private PatternEscapes() {}

    static @Nullable CodePoints named(int letter) {
        return switch (letter) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.complement();
            case 'w' -> WORD;
            case 'W' -> WORD.complement();
            case 's' -> BLANKS;
            case 'S' -> BLANKS.complement();
            case 't' -> CodePoints.of('\t');
            case 'n' -> CodePoints.of('\n');
            case 'r' -> CodePoints.of('\r');
            case 'f' -> CodePoints.of('\f');
            case 'v' -> CodePoints.of(0x0b);
            case '0' -> CodePoints.of(0);
            default -> null;
        };
    }
}
