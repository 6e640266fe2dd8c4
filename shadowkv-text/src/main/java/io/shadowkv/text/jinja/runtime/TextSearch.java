package io.shadowkv.text.jinja.runtime;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// The methods of Python's strings that search, split or replace. Each reads the text a fixed
/// number of times, however many matches there are, and copies every character once.
public final class TextSearch {
    /// A part of a text, in char offsets, as selected by Python's `start` and `end` arguments.
    private record Window(int from, int to) {}

    private TextSearch() {}

    /// Number of characters before the first or last match of the argument `sub` within `start` and
    /// `end`, or -1.
    static long find(String text, Arguments arguments, boolean isLast) {
        String part = arguments.text(0, "sub");
        Window window = window(text, arguments);
        if (window == null) {
            return -1;
        }
        int at = isLast
                ? text.lastIndexOf(part, window.to() - part.length())
                : text.indexOf(part, window.from(), window.to());
        return at < window.from() ? -1 : text.codePointCount(0, at);
    }

    static long count(String text, Arguments arguments) {
        String part = arguments.text(0, "sub");
        Window window = window(text, arguments);
        if (window == null) {
            return 0;
        }
        if (part.isEmpty()) {
            return text.codePointCount(window.from(), window.to()) + 1L;
        }
        long count = 0;
        int at = text.indexOf(part, window.from(), window.to());
        while (at >= 0) {
            count++;
            at = text.indexOf(part, at + part.length(), window.to());
        }
        return count;
    }

    /// `startswith` and `endswith`, for the first argument or each item of a tuple.
    static boolean touches(String text, Arguments arguments, boolean isEnd) {
        Object given = arguments.required(0, "prefix");
        List<?> parts = given instanceof Tuple tuple ? tuple : List.of(arguments.text(0, "prefix"));
        Window window = window(text, arguments);
        for (Object part : parts) {
            if (!(part instanceof String string)) {
                throw new JinjaException("a tuple of strings is expected, but it holds " + Values.described(part));
            }
            int room = window == null ? -1 : window.to() - window.from() - string.length();
            if (window != null && room >= 0 && text.startsWith(string, window.from() + (isEnd ? room : 0))) {
                return true;
            }
        }
        return false;
    }

    /// Null if `start` is after the end, in which case Python finds nothing.
    private static @Nullable Window window(String text, Arguments arguments) {
        if (!arguments.isGiven(1, "start")) {
            return new Window(0, text.length());
        }
        int length = text.codePointCount(0, text.length());
        long start = bound(arguments.integer(1, "start", 0), length);
        long end = Math.min(length, bound(arguments.integer(2, "end", length), length));
        if (start > end) {
            return null;
        }
        int from = text.offsetByCodePoints(0, (int) start);
        return new Window(from, text.offsetByCodePoints(from, (int) (end - start)));
    }

    private static long bound(long bound, int length) {
        return bound < 0 ? Math.max(0, bound + length) : bound;
    }

    static List<@Nullable Object> split(String text, Arguments arguments, boolean isFromRight) {
        long given = arguments.integer(1, "maxsplit", -1);
        long limit = given < 0 ? Long.MAX_VALUE : given;
        boolean isByBlanks = arguments.value(0, "sep", null) == null;
        if (isFromRight) {
            List<@Nullable Object> parts =
                    isByBlanks ? blanksFromRight(text, limit) : fromRight(text, separator(arguments), limit);
            Collections.reverse(parts);
            return parts;
        }
        return isByBlanks ? blanksFromLeft(text, limit) : fromLeft(text, separator(arguments), limit);
    }

    private static String separator(Arguments arguments) {
        String separator = arguments.text(0, "sep");
        if (separator.isEmpty()) {
            throw new JinjaException("split: the separator is empty");
        }
        return separator;
    }

    private static List<@Nullable Object> fromLeft(String text, String separator, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        int begin = 0;
        int at = text.indexOf(separator);
        while (at >= 0 && parts.size() < limit) {
            parts.add(text.substring(begin, at));
            begin = at + separator.length();
            at = text.indexOf(separator, begin);
        }
        parts.add(text.substring(begin));
        return parts;
    }

    private static List<@Nullable Object> fromRight(String text, String separator, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        int end = text.length();
        int at = text.lastIndexOf(separator);
        while (at >= 0 && parts.size() < limit) {
            parts.add(text.substring(at + separator.length(), end));
            end = at;
            at = at < separator.length() ? -1 : text.lastIndexOf(separator, at - separator.length());
        }
        parts.add(text.substring(0, end));
        return parts;
    }

    private static List<@Nullable Object> blanksFromLeft(String text, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        int begin = firstNot(text, 0, Strings::isSpace);
        while (begin < text.length()) {
            boolean isLast = parts.size() >= limit;
            int end = isLast ? text.length() : firstNot(text, begin, codePoint -> !Strings.isSpace(codePoint));
            parts.add(text.substring(begin, end));
            begin = isLast ? text.length() : firstNot(text, end, Strings::isSpace);
        }
        return parts;
    }

    private static List<@Nullable Object> blanksFromRight(String text, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        int end = lastNot(text, text.length(), Strings::isSpace);
        while (end > 0) {
            boolean isLast = parts.size() >= limit;
            int begin = isLast ? 0 : lastNot(text, end, codePoint -> !Strings.isSpace(codePoint));
            parts.add(text.substring(begin, end));
            end = isLast ? 0 : lastNot(text, begin, Strings::isSpace);
        }
        return parts;
    }

    /// The first offset from `from` on whose character does not match; the length of the text if
    /// all match.
    static int firstNot(String text, int from, IntPredicate matches) {
        int at = from;
        while (at < text.length() && matches.test(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }
        return at;
    }

    /// The offset after the last character before `to` that does not match, or 0.
    static int lastNot(String text, int to, IntPredicate matches) {
        int at = to;
        while (at > 0 && matches.test(text.codePointBefore(at))) {
            at -= Character.charCount(text.codePointBefore(at));
        }
        return at;
    }

    public static List<@Nullable Object> lines(String text, boolean keepsEnds) {
        List<@Nullable Object> lines = new ArrayList<>();
        int begin = 0;
        while (begin < text.length()) {
            int end = firstNot(
                    text,
                    begin,
                    codePoint -> "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(codePoint) < 0);
            int next = Math.min(text.length(), text.startsWith("\r\n", end) ? end + 2 : end + 1);
            lines.add(text.substring(begin, keepsEnds ? next : end));
            begin = next;
        }
        return lines;
    }

    static Tuple partition(String text, String separator, boolean isFromRight) {
        if (separator.isEmpty()) {
            throw new JinjaException("partition: the separator is empty");
        }
        int at = isFromRight ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return new Tuple(isFromRight ? List.of("", "", text) : List.of(text, "", ""));
        }
        return new Tuple(List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
    }

    /// Replaces the first `limit` occurrences, or all if it is negative.
    public static String replace(String text, String old, String with, long limit) {
        StringBuilder replaced = new StringBuilder();
        int begin = 0;
        int at = text.indexOf(old);
        for (long count = 0; at >= 0 && (limit < 0 || count < limit); count++) {
            replaced.append(text, begin, at).append(with);
            Values.checkLength(replaced.length());
            begin = at + old.length();
            if (old.isEmpty() && at == text.length()) {
                break;
            }
            // An empty string matches before every character.
            at = old.isEmpty() ? text.offsetByCodePoints(at, 1) : text.indexOf(old, begin);
        }
        return replaced.append(text, begin, text.length()).toString();
    }
}
