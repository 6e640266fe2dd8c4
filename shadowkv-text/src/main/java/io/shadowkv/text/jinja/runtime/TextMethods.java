package io.shadowkv.text.jinja.runtime;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// The methods of Python's strings that templates can call.
public final class TextMethods {
    private static final Map<String, Parameters> METHODS = Parameters.table("""
            strip|lstrip|rstrip(chars=, /)
            split|rsplit(sep=, maxsplit=)
            splitlines(keepends=)
            startswith|endswith(prefix, start=, end=, /)
            find|rfind|index|rindex|count(sub, start=, end=, /)
            replace(old, new, /, count=)
            removeprefix|removesuffix(affix, /)
            partition|rpartition(sep, /)
            ljust|rjust|center(width, fillchar=, /)
            zfill(width, /)
            join(iterable, /)
            format(*)
            upper|lower|casefold|swapcase|title|capitalize()
            isdigit|isdecimal|isnumeric|isalpha|isalnum|isspace|isascii|isupper|islower()""");

    private TextMethods() {}

    /// The method with a name, or null if it does not exist.
    static @Nullable Callable method(String text, String name) {
        Parameters parameters = METHODS.get(name);
        if (parameters == null) {
            return null;
        }
        Callable method = unchecked(text, name);
        return method == null ? null : parameters.checked(method);
    }

    private static @Nullable Callable unchecked(String text, String name) {
        return switch (name) {
            case "strip" -> arguments -> strip(text, arguments, true, true);
            case "lstrip" -> arguments -> strip(text, arguments, true, false);
            case "rstrip" -> arguments -> strip(text, arguments, false, true);
            case "split" -> arguments -> TextSearch.split(text, arguments, false);
            case "rsplit" -> arguments -> TextSearch.split(text, arguments, true);
            case "splitlines" -> arguments -> TextSearch.lines(text, arguments.flag(0, "keepends", false));
            case "replace" ->
                arguments -> TextSearch.replace(
                        text, arguments.text(0, "old"), arguments.text(1, "new"), arguments.integer(2, "count", -1));
            case "upper" -> arguments -> text.toUpperCase(Locale.ROOT);
            case "lower", "casefold" -> arguments -> text.toLowerCase(Locale.ROOT);
            case "swapcase" -> arguments -> swapped(text);
            case "title" -> arguments -> title(text);
            case "capitalize" -> arguments -> capitalize(text);
            case "join" -> arguments -> joined(text, Values.items(arguments.required(0, "iterable")));
            case "format" -> arguments -> BraceFormat.text(text, arguments);
            case "zfill" -> arguments -> zeroFill(text, arguments.integer(0, "width", 0));
            default -> search(text, name);
        };
    }

    private static @Nullable Callable search(String text, String name) {
        return switch (name) {
            case "startswith" -> arguments -> TextSearch.touches(text, arguments, false);
            case "endswith" -> arguments -> TextSearch.touches(text, arguments, true);
            case "find" -> arguments -> TextSearch.find(text, arguments, false);
            case "rfind" -> arguments -> TextSearch.find(text, arguments, true);
            case "index" -> arguments -> found(text, arguments, false);
            case "rindex" -> arguments -> found(text, arguments, true);
            case "count" -> arguments -> TextSearch.count(text, arguments);
            case "removeprefix" ->
                arguments -> {
                    String prefix = arguments.text(0, "affix");
                    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
                };
            case "removesuffix" ->
                arguments -> {
                    String suffix = arguments.text(0, "affix");
                    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
                };
            case "partition" -> arguments -> TextSearch.partition(text, arguments.text(0, "sep"), false);
            case "rpartition" -> arguments -> TextSearch.partition(text, arguments.text(0, "sep"), true);
            case "ljust" -> arguments -> padded(text, arguments, Side.LEFT);
            case "rjust" -> arguments -> padded(text, arguments, Side.RIGHT);
            case "center" -> arguments -> padded(text, arguments, Side.CENTER);
            default -> property(text, name);
        };
    }

    private static long found(String text, Arguments arguments, boolean isLast) {
        long at = TextSearch.find(text, arguments, isLast);
        if (at < 0) {
            throw new JinjaException("index: '" + arguments.text(0, "sub") + "' is not in the string");
        }
        return at;
    }

    private static @Nullable Callable property(String text, String name) {
        IntPredicate property = switch (name) {
            case "isdigit", "isdecimal", "isnumeric" -> Character::isDigit;
            case "isalpha" -> Character::isLetter;
            case "isalnum" -> Character::isLetterOrDigit;
            case "isspace" -> Strings::isSpace;
            case "isascii" -> codePoint -> codePoint < 128;
            default -> null;
        };
        if (property != null) {
            IntPredicate holds = property;
            return arguments -> (!text.isEmpty() || name.equals("isascii"))
                    && text.codePoints().allMatch(holds);
        }
        return switch (name) {
            case "isupper" -> arguments -> isCase(text, text.toUpperCase(Locale.ROOT));
            case "islower" -> arguments -> isCase(text, text.toLowerCase(Locale.ROOT));
            default -> null;
        };
    }

    /// True if a text has letters with two cases, and all of them have the case of `same`.
    public static boolean isCase(String text, String same) {
        boolean hasCase = !text.toUpperCase(Locale.ROOT).equals(text.toLowerCase(Locale.ROOT));
        return hasCase && text.equals(same);
    }

    /// Removes blanks, or the characters of the argument, from the ends.
    public static String strip(String text, Arguments arguments, boolean isLeft, boolean isRight) {
        Object characters = arguments.value(0, "chars", null);
        String set = characters == null ? "" : arguments.text(0, "chars");
        IntPredicate isStripped = characters == null ? Strings::isSpace : codePoint -> set.indexOf(codePoint) >= 0;
        int start = isLeft ? TextSearch.firstNot(text, 0, isStripped) : 0;
        int end = isRight ? Math.max(start, TextSearch.lastNot(text, text.length(), isStripped)) : text.length();
        return text.substring(start, end);
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

    private static String swapped(String text) {
        StringBuilder swapped = new StringBuilder();
        text.codePoints().forEach(codePoint -> {
            String character = Character.toString(codePoint);
            boolean isUpper = Character.isUpperCase(codePoint);
            swapped.append(isUpper ? character.toLowerCase(Locale.ROOT) : character.toUpperCase(Locale.ROOT));
        });
        return swapped.toString();
    }

    /// The method only joins strings; the filter joins any values.
    private static String joined(String separator, List<@Nullable Object> items) {
        for (Object item : items) {
            if (!(item instanceof String)) {
                throw new JinjaException("join: " + Values.described(item) + " is not a string");
            }
        }
        return join(separator, items);
    }

    public static String join(String separator, List<@Nullable Object> items) {
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            joined.append(i == 0 ? "" : separator).append(Values.text(items.get(i)));
            Values.checkLength(joined.length());
        }
        return joined.toString();
    }

    /// The position of a text within its width.
    public enum Side {
        LEFT,
        CENTER,
        RIGHT
    }

    private static String padded(String text, Arguments arguments, Side side) {
        String fill = arguments.isGiven(1, "fillchar") ? arguments.text(1, "fillchar") : " ";
        if (fill.codePointCount(0, fill.length()) != 1) {
            throw new JinjaException("the fill is '" + fill + "'; expected one character");
        }
        return padded(text, arguments.integer(0, "width", 0), fill, side);
    }

    public static String padded(String text, long width, String fill, Side side) {
        Values.checkLength(width);
        int missing = (int) Math.max(0, width - text.codePointCount(0, text.length()));
        int before = switch (side) {
            case LEFT -> 0;
            // Python puts the odd character on the left only if the width is odd too.
            case CENTER -> missing / 2 + (missing & (int) width & 1);
            case RIGHT -> missing;
        };
        return fill.repeat(before) + text + fill.repeat(missing - before);
    }

    private static String zeroFill(String text, long width) {
        Values.checkLength(width);
        boolean isSigned = text.startsWith("-") || text.startsWith("+");
        String sign = isSigned ? text.substring(0, 1) : "";
        int missing = (int) Math.max(0, width - text.codePointCount(0, text.length()));
        return sign + "0".repeat(missing) + text.substring(sign.length());
    }
}
