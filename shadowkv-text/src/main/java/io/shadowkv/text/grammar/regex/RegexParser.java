package io.shadowkv.text.grammar.regex;

import java.util.ArrayList;
import java.util.List;

/// Reads the regular part of ECMA-262's patterns, which JSON schema prescribes.
///
/// Understood: literals, `.`, classes, `\d \w \s` and their negations, `\t \n \r \f \v \0`, `x` and
/// `u` with hexadecimal digits, escaped punctuation, groups (plain, named, non-capturing), `|`, and
/// `* + ? {m} {m,} {m,n}`, greedy or not. `^` and `$` may stand at the ends of a pattern or of its
/// top-level alternatives; without them the pattern may match anywhere in the text. Refused:
/// look-around, back references, `\b`, `\p`, and `^` and `$` elsewhere.
final class RegexParser {
    private static final int MOST_CHARACTERS = 4096;
    private static final int MOST_REPEATS = 10_000;
    /// Longer patterns are cut in messages.
    private static final int SHOWN = 80;
    private static final int DEEPEST = 200;

    private final String pattern;
    private int at;
    private int depth;

    private RegexParser(String pattern) {
        this.pattern = pattern;
    }

    /// @throws RegexException with the position of what is not understood
    static Regex parse(String pattern) {
        RegexParser parser = new RegexParser(pattern);
        if (pattern.length() > MOST_CHARACTERS) {
            throw parser.refused("has " + "%,d".formatted(pattern.length()) + " characters; at most "
                    + "%,d".formatted(MOST_CHARACTERS) + " are supported");
        }
        List<Regex> options = new ArrayList<>();
        do {
            options.add(parser.topLevel());
        } while (parser.skip('|'));
        if (parser.at < pattern.length()) {
            throw parser.refused("has an unmatched \")\"");
        }
        return new Regex.Choice(options);
    }

    private Regex topLevel() {
        boolean isAtStart = skip('^');
        Regex body = sequence();
        boolean isAtEnd = skip('$');
        if (isAtEnd && at < pattern.length() && pattern.charAt(at) != '|') {
            throw refused("has \"$\" before the end");
        }
        List<Regex> parts = new ArrayList<>();
        if (!isAtStart) {
            parts.add(Regex.anything());
        }
        parts.add(body);
        if (!isAtEnd) {
            parts.add(Regex.anything());
        }
        return new Regex.Sequence(parts);
    }

    private Regex choice() {
        List<Regex> options = new ArrayList<>();
        do {
            options.add(sequence());
        } while (skip('|'));
        return options.size() == 1 ? options.getFirst() : new Regex.Choice(options);
    }

    private Regex sequence() {
        List<Regex> parts = new ArrayList<>();
        while (at < pattern.length() && "|)$".indexOf(pattern.charAt(at)) < 0) {
            parts.add(repeated(atom()));
        }
        if (depth > 0 && at < pattern.length() && pattern.charAt(at) == '$') {
            throw refused("has \"$\" inside a group");
        }
        return new Regex.Sequence(parts);
    }

    private Regex atom() {
        int codePoint = next();
        switch (codePoint) {
            case '(' -> {
                return group();
            }
            case '[' -> {
                return new Regex.Characters(characterClass());
            }
            case '.' -> {
                return new Regex.Characters(PatternEscapes.LINE_ENDS.complement());
            }
            case '\\' -> {
                return new Regex.Characters(escape(false));
            }
            case '^' -> throw refused("has \"^\" behind the start");
            case '*', '+', '?' -> throw refused("repeats nothing");
            case '{' -> throw refused("has \"{\" that repeats nothing; write \\{");
            default -> {
                return new Regex.Characters(literal(codePoint));
            }
        }
    }

    private Regex group() {
        if (skip('?')) {
            if (skip('<')) {
                int end = pattern.indexOf('>', at);
                if (end < 0 || at == end || !Character.isJavaIdentifierStart(pattern.charAt(at))) {
                    throw refused("looks behind");
                }
                at = end + 1;
            } else if (!skip(':')) {
                throw refused("looks ahead or sets a flag");
            }
        }
        if (++depth > DEEPEST) {
            throw refused("nests more than " + DEEPEST + " groups");
        }
        Regex body = choice();
        if (!skip(')')) {
            throw refused("has an unmatched \"(\"");
        }
        depth--;
        return body;
    }

    private Regex repeated(Regex atom) {
        Regex result = atom;
        if (skip('*')) {
            result = new Regex.Repeat(atom, 0, Regex.UNBOUNDED);
        } else if (skip('+')) {
            result = new Regex.Repeat(atom, 1, Regex.UNBOUNDED);
        } else if (skip('?')) {
            result = new Regex.Repeat(atom, 0, 1);
        } else if (skip('{')) {
            int min = count();
            int max = min;
            if (skip(',')) {
                max = at < pattern.length() && pattern.charAt(at) == '}' ? Regex.UNBOUNDED : count();
            }
            if (!skip('}') || max < min) {
                throw refused("has a malformed {m,n}");
            }
            result = new Regex.Repeat(atom, min, max);
        } else {
            return atom;
        }
        // Greedy or not, the same texts match.
        skip('?');
        if (at < pattern.length() && "*+?{".indexOf(pattern.charAt(at)) >= 0) {
            throw refused("repeats a repetition");
        }
        return result;
    }

    private int count() {
        int begin = at;
        while (at < pattern.length() && pattern.charAt(at) >= '0' && pattern.charAt(at) <= '9') {
            at++;
        }
        if (begin == at || at - begin > 6 || Integer.parseInt(pattern, begin, at, 10) > MOST_REPEATS) {
            throw refused("repeats a malformed number of times, or more than " + MOST_REPEATS);
        }
        return Integer.parseInt(pattern, begin, at, 10);
    }

    private CodePoints characterClass() {
        boolean isNegated = skip('^');
        CodePoints set = CodePoints.NONE;
        while (!skip(']')) {
            CodePoints first = classMember();
            boolean isRange = at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']';
            if (!isRange) {
                set = set.or(first);
                continue;
            }
            at++;
            CodePoints last = classMember();
            if (!isSingle(first) || !isSingle(last) || first(first) > first(last)) {
                throw refused("has a malformed range in a class");
            }
            set = set.or(CodePoints.of(first(first), first(last)));
        }
        return isNegated ? set.complement() : set;
    }

    private CodePoints classMember() {
        int codePoint = next();
        return codePoint == '\\' ? escape(true) : literal(codePoint);
    }

    private static boolean isSingle(CodePoints set) {
        return set.ranges().size() == 1 && first(set) == set.ranges().getFirst().last();
    }

    private static int first(CodePoints set) {
        return set.ranges().getFirst().first();
    }

    private CodePoints literal(int codePoint) {
        CodePoints set = CodePoints.of(codePoint);
        if (set.isEmpty()) {
            throw refused("has a lone surrogate");
        }
        return set;
    }

    private CodePoints escape(boolean isInClass) {
        int letter = next();
        CodePoints named = PatternEscapes.named(letter);
        if (named != null) {
            return named;
        }
        if (letter == 'b' && isInClass) {
            return CodePoints.of('\b');
        }
        if (letter == 'x') {
            return literal(hex(2));
        }
        if (letter == 'u') {
            return literal(unicode());
        }
        if (letter >= '0' && letter <= '9' || letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z') {
            throw refused("uses \\" + Character.toString(letter));
        }
        return literal(letter);
    }

    /// The code point of four hexadecimal digits, of two such escapes for a surrogate pair, or of
    /// digits in braces.
    private int unicode() {
        if (skip('{')) {
            int end = pattern.indexOf('}', at);
            int codePoint = hex(end < 0 ? 0 : end - at);
            at++;
            return codePoint;
        }
        int unit = hex(4);
        if (Character.isHighSurrogate((char) unit) && pattern.startsWith("\\u", at)) {
            at += 2;
            int low = hex(4);
            return Character.isLowSurrogate((char) low) ? Character.toCodePoint((char) unit, (char) low) : unit;
        }
        return unit;
    }

    private int hex(int digits) {
        int end = at + digits;
        if (digits < 1 || digits > 6 || end > pattern.length()) {
            throw refused("has a malformed hexadecimal escape");
        }
        int value = 0;
        while (at < end) {
            int digit = Character.digit(pattern.charAt(at++), 16);
            if (digit < 0) {
                throw refused("has a malformed hexadecimal escape");
            }
            value = value << 4 | digit;
        }
        return value;
    }

    private boolean skip(char character) {
        boolean isThere = at < pattern.length() && pattern.charAt(at) == character;
        at += isThere ? 1 : 0;
        return isThere;
    }

    private int next() {
        if (at >= pattern.length()) {
            throw refused("ends too early");
        }
        int codePoint = pattern.codePointAt(at);
        at += Character.charCount(codePoint);
        return codePoint;
    }

    private RegexException refused(String what) {
        String shown = pattern.length() > SHOWN ? pattern.substring(0, SHOWN) + "…" : pattern;
        return new RegexException("pattern \"" + shown + "\" " + what + (at == 0 ? "" : " (character " + at + ")"));
    }
}
