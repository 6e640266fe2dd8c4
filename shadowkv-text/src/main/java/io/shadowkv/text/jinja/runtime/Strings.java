package io.shadowkv.text.jinja.runtime;

import java.math.BigDecimal;
import java.util.Locale;

/// Python's rules for text: blanks, string literals and quoting.
public final class Strings {
    /// A noncharacter that a caller can put into variables to find their text in the output; no
    /// built-in function changes it.
    public static final char MARK = '\ufdd0';

    private Strings() {}

    public static boolean isSpace(int codePoint) {
        return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint) || codePoint == 0x85;
    }

    /// True if a text is not empty and consists of blanks.
    public static boolean isSpace(String text) {
        return !text.isEmpty() && text.codePoints().allMatch(Strings::isSpace);
    }

    public static int startOfStripped(String text) {
        int start = 0;
        while (start < text.length() && isSpace(text.charAt(start))) {
            start++;
        }
        return start;
    }

    public static int endOfStripped(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    /// The contents of a string literal with Python's escapes resolved; an unknown escape stays as
    /// it is.
    public static String unescaped(String literal) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder text = new StringBuilder(literal.length());
        int i = 0;
        while (i < literal.length()) {
            char character = literal.charAt(i++);
            if (character != '\\' || i == literal.length()) {
                text.append(character);
                continue;
            }
            char escape = literal.charAt(i++);
            int simple = "\\'\"abfnrtv\n".indexOf(escape);
            int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
            if (simple >= 0) {
                text.append(simple == 10 ? "" : "\\'\"\u0007\b\f\n\r\t\u000b".substring(simple, simple + 1));
            } else if (digits > 0) {
                i = appendCode(literal, i, digits, text);
            } else if (escape >= '0' && escape <= '7') {
                int end = i;
                while (end < literal.length() && end < i + 2 && Character.digit(literal.charAt(end), 8) >= 0) {
                    end++;
                }
                text.append((char) Integer.parseInt(literal.substring(i - 1, end), 8));
                i = end;
            } else {
                text.append(character).append(escape);
            }
        }
        return text.toString();
    }

    private static int appendCode(String literal, int from, int digits, StringBuilder text) {
        try {
            text.appendCodePoint(Integer.parseInt(literal.substring(from, from + digits), 16));
            return from + digits;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new JinjaException("the string \"" + literal + "\" has an escape that is not a character of " + digits
                    + " hexadecimal digits");
        }
    }

    /// The text in quotes, like Python's `repr`.
    static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(codePoint -> {
            switch (codePoint) {
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\\' -> quoted.append("\\\\");
                default -> {
                    if (codePoint == quote) {
                        quoted.append('\\').append(quote);
                    } else if (isPrintable(codePoint)) {
                        quoted.appendCodePoint(codePoint);
                    } else {
                        String format = codePoint < 0x100 ? "\\x%02x" : codePoint < 0x10000 ? "\\u%04x" : "\\U%08x";
                        quoted.append(String.format(Locale.ROOT, format, codePoint));
                    }
                }
            }
        });
        return quoted.append(quote).toString();
    }

    private static boolean isPrintable(int codePoint) {
        return codePoint == ' '
                || codePoint == MARK
                || switch (Character.getType(codePoint)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }

    /// A float as written by Python: the shortest digits, with an exponent below 1e-4 and from
    /// 1e16.
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = decimal.precision() - decimal.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = decimal.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        String sign = value < 0 ? "-" : "";
        return sign + mantissa + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
