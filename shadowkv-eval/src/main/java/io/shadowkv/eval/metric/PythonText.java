package io.shadowkv.eval.metric;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/// String functions with the semantics of Python 3: whitespace, digits and word characters are
/// those of Unicode, and a length is a number of code points.
public final class PythonText {
    private PythonText() {}

    /// `str.isspace`, which defines whitespace for `split`, `strip` and the pattern `\s`.
    public static boolean isBlank(int codePoint) {
        return switch (codePoint) {
            case 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x85, 0x2028, 0x2029 -> true;
            default -> Character.getType(codePoint) == Character.SPACE_SEPARATOR;
        };
    }

    /// The pattern `\w`: letters, all characters with a numeric value, and the underscore.
    public static boolean isWordCharacter(int codePoint) {
        return codePoint == '_'
                || Character.isLetterOrDigit(codePoint)
                || Character.getType(codePoint) == Character.LETTER_NUMBER
                || Character.getType(codePoint) == Character.OTHER_NUMBER;
    }

    /// `str.lower`. Java differs in the condition for a final capital sigma.
    public static String lower(String text) {
        StringBuilder lower = new StringBuilder(text.length() + 1);
        int i = 0;
        while (i < text.length()) {
            int codePoint = text.codePointAt(i);
            int end = i + Character.charCount(codePoint);
            switch (codePoint) {
                case 'İ' -> lower.append("i\u0307");
                case 'Σ' -> lower.append(isFinal(text, i, end) ? 'ς' : 'σ');
                default -> lower.appendCodePoint(Character.toLowerCase(codePoint));
            }
            i = end;
        }
        return lower.toString();
    }

    /// Unicode's rule for a final capital sigma: there is a cased letter before it and none after
    /// it, ignoring case-ignorable characters between.
    private static boolean isFinal(String text, int start, int end) {
        int before = start;
        while (before > 0 && isCaseIgnorable(text.codePointBefore(before))) {
            before -= Character.charCount(text.codePointBefore(before));
        }
        int after = end;
        while (after < text.length() && isCaseIgnorable(text.codePointAt(after))) {
            after += Character.charCount(text.codePointAt(after));
        }
        return before > 0
                && isCased(text.codePointBefore(before))
                && (after == text.length() || !isCased(text.codePointAt(after)));
    }

    private static boolean isCased(int codePoint) {
        return Character.isUpperCase(codePoint) || Character.isLowerCase(codePoint) || Character.isTitleCase(codePoint);
    }

    private static boolean isCaseIgnorable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.FORMAT,
                    Character.MODIFIER_LETTER,
                    Character.MODIFIER_SYMBOL -> true;
            default ->
                "'.:·\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A".indexOf(codePoint)
                        >= 0;
        };
    }

    /// `str.strip`.
    public static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isBlank(text.charAt(start))) {
            start++;
        }
        while (end > start && isBlank(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    /// `str.lstrip('\n')`.
    public static String withoutLeadingLines(String text) {
        int start = 0;
        while (start < text.length() && text.charAt(start) == '\n') {
            start++;
        }
        return text.substring(start);
    }

    /// `str.split()`: splits at whitespace.
    public static List<String> split(String text) {
        return runs(text, codePoint -> !isBlank(codePoint));
    }

    /// `str.split(c)`: splits at every separator and keeps empty pieces.
    public static List<String> split(String text, char separator) {
        List<String> pieces = new ArrayList<>();
        int start = 0;
        for (int end = text.indexOf(separator); end >= 0; end = text.indexOf(separator, start)) {
            pieces.add(text.substring(start, end));
            start = end + 1;
        }
        pieces.add(text.substring(start));
        return pieces;
    }

    /// `re.findall(r"\d+", text)`.
    public static List<String> numbers(String text) {
        return runs(text, Character::isDigit);
    }

    /// `re.findall(r"\b\w+\b", text)`.
    public static List<String> words(String text) {
        return runs(text, PythonText::isWordCharacter);
    }

    /// True for the 32 characters of `string.punctuation`.
    public static boolean isPunctuation(int codePoint) {
        return codePoint > ' ' && codePoint < 0x7F && !Character.isLetterOrDigit(codePoint);
    }

    /// Removes the characters that the predicate selects.
    public static String without(String text, IntPredicate isRemoved) {
        StringBuilder kept = new StringBuilder(text.length());
        text.codePoints().filter(isRemoved.negate()).forEach(kept::appendCodePoint);
        return kept.toString();
    }

    /// `repr` of a string: in single quotes, or in double quotes if it contains a single quote and
    /// no double one.
    public static String quoted(String text) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c == quote) {
                        quoted.append('\\').append(quote);
                    } else if (Character.isISOControl(c)) {
                        quoted.append(String.format("\\x%02x", c));
                    } else {
                        quoted.appendCodePoint(c);
                    }
                }
            }
        });
        return quoted.append(quote).toString();
    }

    /// The code points as strings.
    public static List<String> characters(String text) {
        return text.codePoints().mapToObj(Character::toString).toList();
    }

    /// The longest runs of characters that the predicate selects, from left to right.
    static List<String> runs(String text, IntPredicate isInside) {
        List<String> runs = new ArrayList<>();
        int start = -1;
        int i = 0;
        while (i < text.length()) {
            int codePoint = text.codePointAt(i);
            boolean inside = isInside.test(codePoint);
            if (inside && start < 0) {
                start = i;
            } else if (!inside && start >= 0) {
                runs.add(text.substring(start, i));
                start = -1;
            }
            i += Character.charCount(codePoint);
        }
        if (start >= 0) {
            runs.add(text.substring(start));
        }
        return runs;
    }
}
