package io.shadowkv.text.jinja.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Python's methods of strings, as far as templates may call them.
public final class TextMethods {
    private static final Pattern PERCENT = Pattern.compile("%(-?\\d*)(?:\\.(\\d+))?(.)", Pattern.DOTALL);
    private static final Pattern BRACES = Pattern.compile("\\{\\{|}}|\\{(\\w*)}");

    private TextMethods() {}

    /// The method of a name, or null if strings have none of it.
    static @Nullable Callable method(String text, String name) {
        return switch (name) {
            case "strip" -> arguments -> strip(text, arguments, true, true);
            case "lstrip" -> arguments -> strip(text, arguments, true, false);
            case "rstrip" -> arguments -> strip(text, arguments, false, true);
            case "split" -> arguments -> split(text, arguments, false);
            case "rsplit" -> arguments -> split(text, arguments, true);
            case "splitlines" -> arguments -> lines(text);
            case "startswith" -> arguments -> any(arguments, text::startsWith);
            case "endswith" -> arguments -> any(arguments, text::endsWith);
            case "replace" ->
                arguments -> replace(
                        text, arguments.text(0, "old"), arguments.text(1, "new"), arguments.integer(2, "count", -1));
            case "upper" -> arguments -> text.toUpperCase(Locale.ROOT);
            case "lower", "casefold" -> arguments -> text.toLowerCase(Locale.ROOT);
            case "title" -> arguments -> title(text);
            case "capitalize" -> arguments -> capitalize(text);
            case "join" -> arguments -> join(text, Values.items(arguments.required(0, "iterable")));
            case "format" -> arguments -> braces(text, arguments);
            case "zfill" -> arguments -> zeroFill(text, arguments.integer(0, "width", 0));
            default -> search(text, name);
        };
    }

    private static @Nullable Callable search(String text, String name) {
        return switch (name) {
            case "find" -> arguments -> place(text, text.indexOf(arguments.text(0, "sub")));
            case "rfind" -> arguments -> place(text, text.lastIndexOf(arguments.text(0, "sub")));
            case "index" ->
                arguments -> {
                    String part = arguments.text(0, "sub");
                    if (!text.contains(part)) {
                        throw new JinjaException("index: '" + part + "' is not in the string");
                    }
                    return place(text, text.indexOf(part));
                };
            case "count" -> arguments -> count(text, arguments.text(0, "sub"));
            case "removeprefix" ->
                arguments -> {
                    String prefix = arguments.text(0, "prefix");
                    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
                };
            case "removesuffix" ->
                arguments -> {
                    String suffix = arguments.text(0, "suffix");
                    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
                };
            case "partition" -> arguments -> partition(text, arguments.text(0, "sep"), false);
            case "rpartition" -> arguments -> partition(text, arguments.text(0, "sep"), true);
            case "ljust" -> arguments -> padded(text, arguments, 0, 1);
            case "rjust" -> arguments -> padded(text, arguments, 1, 0);
            case "center" -> arguments -> padded(text, arguments, 1, 1);
            default -> property(text, name);
        };
    }

    private static @Nullable Callable property(String text, String name) {
        IntPredicate property = switch (name) {
            case "isdigit", "isdecimal", "isnumeric" -> Character::isDigit;
            case "isalpha" -> Character::isLetter;
            case "isalnum" -> Character::isLetterOrDigit;
            case "isspace" -> Strings::isSpace;
            default -> null;
        };
        if (property != null) {
            IntPredicate holds = property;
            return arguments -> !text.isEmpty() && text.codePoints().allMatch(holds);
        }
        return switch (name) {
            case "isupper" -> arguments -> isCase(text, text.toUpperCase(Locale.ROOT));
            case "islower" -> arguments -> isCase(text, text.toLowerCase(Locale.ROOT));
            default -> null;
        };
    }

    private static boolean isCase(String text, String same) {
        boolean hasCase = !text.toUpperCase(Locale.ROOT).equals(text.toLowerCase(Locale.ROOT));
        return hasCase && text.equals(same);
    }

    /// Takes blanks, or the characters of the argument, from the ends.
    public static String strip(String text, Arguments arguments, boolean isLeft, boolean isRight) {
        Object characters = arguments.value(0, "chars", null);
        String set = characters == null ? "" : arguments.text(0, "chars");
        IntPredicate isStripped = characters == null ? Strings::isSpace : codePoint -> set.indexOf(codePoint) >= 0;
        int start = 0;
        int end = text.length();
        while (isLeft && start < end && isStripped.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (isRight && end > start && isStripped.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    private static List<@Nullable Object> split(String text, Arguments arguments, boolean isFromRight) {
        long limit = arguments.integer(1, "maxsplit", -1);
        List<@Nullable Object> parts = new ArrayList<>();
        if (arguments.value(0, "sep", null) == null) {
            splitBlanks(text, limit, isFromRight, parts);
            return parts;
        }
        String separator = arguments.text(0, "sep");
        if (separator.isEmpty()) {
            throw new JinjaException("split: the separator is empty");
        }
        String rest = text;
        while (limit < 0 || parts.size() < limit) {
            int at = isFromRight ? rest.lastIndexOf(separator) : rest.indexOf(separator);
            if (at < 0) {
                break;
            }
            String behind = rest.substring(at + separator.length());
            String before = rest.substring(0, at);
            parts.add(isFromRight ? behind : before);
            rest = isFromRight ? before : behind;
        }
        parts.add(rest);
        return isFromRight ? parts.reversed() : parts;
    }

    private static void splitBlanks(String text, long limit, boolean isFromRight, List<@Nullable Object> parts) {
        if (isFromRight && limit >= 0) {
            throw new JinjaException("rsplit with a maxsplit needs a separator here");
        }
        int position = Strings.startOfStripped(text);
        while (position < text.length()) {
            int end = position;
            while (end < text.length() && !Strings.isSpace(text.charAt(end))) {
                end++;
            }
            boolean isLast = limit >= 0 && parts.size() >= limit;
            int stop = isLast ? Strings.endOfStripped(text) : end;
            parts.add(text.substring(position, stop));
            position = isLast ? text.length() : end + Strings.startOfStripped(text.substring(end));
        }
    }

    private static List<@Nullable Object> lines(String text) {
        List<@Nullable Object> lines =
                new ArrayList<>(List.of(text.split("\r\n|[\n\r\u000b\f\u001c-\u001e\u0085\u2028\u2029]", -1)));
        if (text.isEmpty() || "".equals(lines.getLast())) {
            lines.removeLast();
        }
        return lines;
    }

    private static boolean any(Arguments arguments, Predicate<String> test) {
        Object parts = arguments.required(0, "prefix");
        if (parts instanceof List<?> several) {
            return several.stream().anyMatch(part -> test.test(Values.text(part)));
        }
        return test.test(arguments.text(0, "prefix"));
    }

    /// Replaces the first `limit` occurrences, or all if it is negative.
    public static String replace(String text, String old, String with, long limit) {
        if (limit < 0) {
            Values.checkLength(text.length() + (text.length() + 1L) / Math.max(1, old.length()) * with.length());
            return text.replace(old, with);
        }
        Matcher matcher = Pattern.compile(Pattern.quote(old)).matcher(text);
        StringBuilder replaced = new StringBuilder();
        for (long count = 0; count < limit && matcher.find(); count++) {
            matcher.appendReplacement(replaced, Matcher.quoteReplacement(with));
            Values.checkLength(replaced.length());
        }
        return matcher.appendTail(replaced).toString();
    }

    static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean isInside = false;
        for (int codePoint : text.codePoints().toArray()) {
            String character = Character.toString(codePoint);
            title.append(isInside ? character.toLowerCase(Locale.ROOT) : character.toUpperCase(Locale.ROOT));
            isInside = Character.isLetter(codePoint);
        }
        return title.toString();
    }

    public static String capitalize(String text) {
        int first = text.isEmpty() ? 0 : Character.charCount(text.codePointAt(0));
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    public static String join(String separator, List<@Nullable Object> items) {
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            joined.append(i == 0 ? "" : separator).append(Values.text(items.get(i)));
            Values.checkLength(joined.length());
        }
        return joined.toString();
    }

    /// Characters before a place, or -1.
    private static long place(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static long count(String text, String part) {
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1L;
        }
        return (text.length() - (long) text.replace(part, "").length()) / part.length();
    }

    private static Tuple partition(String text, String separator, boolean isFromRight) {
        int at = isFromRight ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (at < 0) {
            return new Tuple(isFromRight ? List.of("", "", text) : List.of(text, "", ""));
        }
        return new Tuple(List.of(text.substring(0, at), separator, text.substring(at + separator.length())));
    }

    private static String padded(String text, Arguments arguments, int left, int right) {
        return padded(text, arguments.integer(0, "width", 0), left, right);
    }

    /// Blanks to the width, shared between the sides as the weights say.
    public static String padded(String text, long width, int left, int right) {
        Values.checkLength(width);
        int missing = (int) Math.max(0, width - text.codePointCount(0, text.length()));
        int before = missing * left / (left + right);
        return " ".repeat(before) + text + " ".repeat(missing - before);
    }

    private static String zeroFill(String text, long width) {
        Values.checkLength(width);
        boolean isSigned = text.startsWith("-") || text.startsWith("+");
        String sign = isSigned ? text.substring(0, 1) : "";
        return sign + "0".repeat((int) Math.max(0, width - text.length())) + text.substring(sign.length());
    }

    /// `'%s and %d' % (a, b)`, with widths and digits.
    public static String percent(String text, List<@Nullable Object> values) {
        Matcher matcher = PERCENT.matcher(text);
        StringBuilder formatted = new StringBuilder();
        int used = 0;
        while (matcher.find()) {
            String kind = matcher.group(3);
            if (!kind.equals("%") && used == values.size()) {
                throw new JinjaException("the format '" + text + "' needs more than " + values.size() + " values");
            }
            String shown = kind.equals("%") ? "%" : formatted(kind, matcher.group(2), values.get(used++));
            String width = matcher.group(1).replace("-", "");
            boolean isLeft = matcher.group(1).startsWith("-");
            String padded =
                    width.isEmpty() ? shown : padded(shown, Long.parseLong(width), isLeft ? 0 : 1, isLeft ? 1 : 0);
            matcher.appendReplacement(formatted, Matcher.quoteReplacement(padded));
        }
        return matcher.appendTail(formatted).toString();
    }

    private static String formatted(String kind, @Nullable String digits, @Nullable Object value) {
        Number number = Values.number(value);
        if (kind.equals("s") || kind.equals("r")) {
            return kind.equals("r") && value instanceof String text ? Strings.quoted(text) : Values.text(value);
        }
        if (number != null && (kind.equals("d") || kind.equals("i"))) {
            return Long.toString(number.longValue());
        }
        if (number != null && kind.equals("f")) {
            return String.format(Locale.ROOT, "%." + (digits == null ? "6" : digits) + "f", number.doubleValue());
        }
        throw new JinjaException("the format %" + kind + " does not go with " + Values.described(value));
    }

    /// `'{} {0} {name}'.format(…)` without format specifications.
    private static String braces(String text, Arguments arguments) {
        Matcher matcher = BRACES.matcher(text);
        StringBuilder formatted = new StringBuilder();
        int used = 0;
        while (matcher.find()) {
            String field = matcher.group(1);
            String shown = matcher.group().substring(0, 1);
            if (field != null) {
                boolean isPlace = field.isEmpty() || field.matches("\\d{1,4}");
                int place = !isPlace ? Integer.MAX_VALUE : field.isEmpty() ? used++ : Integer.parseInt(field);
                shown = Values.text(arguments.required(place, field));
            }
            matcher.appendReplacement(formatted, Matcher.quoteReplacement(shown));
        }
        return matcher.appendTail(formatted).toString();
    }
}
