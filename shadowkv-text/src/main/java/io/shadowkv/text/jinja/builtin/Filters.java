package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Access;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Json;
import io.shadowkv.text.jinja.runtime.TextMethods;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What stands behind `|` and concerns one value; [ListFilters] has those of lists.
public final class Filters {
    private static final Pattern TITLE_WORD = Pattern.compile("[-\\s({\\[<]+|[^-\\s({\\[<]+");

    private Filters() {}

    public static @Nullable Object apply(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "trim" -> TextMethods.strip(Values.text(value), arguments, true, true);
            case "upper" -> Values.text(value).toUpperCase(Locale.ROOT);
            case "lower" -> Values.text(value).toLowerCase(Locale.ROOT);
            case "title" -> title(Values.text(value));
            case "capitalize" -> TextMethods.capitalize(Values.text(value));
            case "string", "safe" -> Values.text(value);
            case "tojson" -> Json.text(value, arguments);
            case "replace" ->
                TextMethods.replace(
                        Values.text(value),
                        Values.text(arguments.required(0, "old")),
                        Values.text(arguments.required(1, "new")),
                        arguments.integer(2, "count", -1));
            case "indent" -> indent(Values.text(value), arguments);
            case "default", "d" -> orDefault(value, arguments);
            case "length", "count" -> length(value);
            case "int" -> integer(value, arguments);
            case "float" -> floating(value, arguments);
            case "round" -> round(value, arguments);
            case "abs" -> absolute(value);
            default -> lessUsual(value, name, arguments);
        };
    }

    private static @Nullable Object lessUsual(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "format" -> TextMethods.percent(Values.text(value), arguments.positional());
            case "escape", "e", "forceescape" -> escape(Values.text(value));
            case "center" -> TextMethods.padded(Values.text(value), arguments.integer(0, "width", 80), 1, 1);
            case "wordcount" ->
                Arrays.stream(Values.text(value).split("\\W+"))
                        .filter(word -> !word.isEmpty())
                        .count();
            case "attr" -> Access.attribute(value, arguments.text(0, "name"));
            case "items" -> value instanceof Map<?, ?> map ? Access.pairs(map) : noItems(value);
            case "dictsort" -> dictSort(value, arguments);
            default -> ListFilters.apply(value, name, arguments);
        };
    }

    private static List<@Nullable Object> noItems(@Nullable Object value) {
        if (value instanceof Undefined) {
            return List.of();
        }
        throw new JinjaException(Values.described(value) + " is not a mapping, which \"items\" needs");
    }

    private static String title(String text) {
        return TITLE_WORD
                .matcher(text)
                .replaceAll(word -> Matcher.quoteReplacement(TextMethods.capitalize(word.group())));
    }

    private static String indent(String text, Arguments arguments) {
        Object width = arguments.value(0, "width", 4L);
        String blanks = width instanceof String given
                ? given
                : " ".repeat(Math.clamp(arguments.integer(0, "width", 4), 0, 1000));
        boolean isFirst = arguments.flag(1, "first", false);
        boolean isBlankToo = arguments.flag(2, "blank", false);
        StringBuilder indented = new StringBuilder();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            boolean isIndented = i == 0 ? isFirst : isBlankToo || !lines[i].isEmpty();
            indented.append(i == 0 ? "" : "\n").append(isIndented ? blanks : "").append(lines[i]);
        }
        return indented.toString();
    }

    private static @Nullable Object orDefault(@Nullable Object value, Arguments arguments) {
        boolean isAbsent = value instanceof Undefined || arguments.flag(1, "boolean", false) && !Values.isTrue(value);
        return isAbsent ? arguments.value(0, "default_value", "") : value;
    }

    private static Object length(@Nullable Object value) {
        return switch (value) {
            case String text -> (long) text.codePointCount(0, text.length());
            case List<?> list -> (long) list.size();
            case Map<?, ?> map -> (long) map.size();
            case Undefined undefined -> 0L;
            case null, default -> throw new JinjaException(Values.described(value) + " has no length");
        };
    }

    private static @Nullable Object integer(@Nullable Object value, Arguments arguments) {
        Number number = Values.number(value);
        if (number != null) {
            return number.longValue();
        }
        if (value instanceof String text) {
            try {
                int base = (int) arguments.integer(1, "base", 10);
                return Long.parseLong(text.strip().replace("_", ""), base);
            } catch (NumberFormatException notWhole) {
                Object floating = parsed(text);
                return floating instanceof Double real && Double.isFinite(real)
                        ? (Object) real.longValue()
                        : arguments.value(0, "default", 0L);
            }
        }
        return arguments.value(0, "default", 0L);
    }

    private static @Nullable Object floating(@Nullable Object value, Arguments arguments) {
        Number number = Values.number(value);
        if (number != null) {
            return number.doubleValue();
        }
        Object parsed = value instanceof String text ? parsed(text) : null;
        return parsed == null ? arguments.value(0, "default", 0.0) : parsed;
    }

    private static @Nullable Double parsed(String text) {
        try {
            return Double.valueOf(text.strip());
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static Object round(@Nullable Object value, Arguments arguments) {
        Number number = Values.number(value);
        if (number == null) {
            throw new JinjaException(Values.described(value) + " cannot be rounded");
        }
        int digits = Math.clamp(arguments.integer(0, "precision", 0), -300, 300);
        RoundingMode mode = switch (Values.text(arguments.value(1, "method", "common"))) {
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> RoundingMode.HALF_EVEN;
        };
        return new BigDecimal(number.doubleValue()).setScale(digits, mode).doubleValue();
    }

    private static Object absolute(@Nullable Object value) {
        Number number = Values.number(value);
        if (number == null) {
            throw new JinjaException(Values.described(value) + " has no absolute value");
        }
        return number instanceof Long whole ? (Object) Math.abs(whole) : (Object) Math.abs(number.doubleValue());
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    private static Object dictSort(@Nullable Object value, Arguments arguments) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new JinjaException(Values.described(value) + " is not a mapping, which \"dictsort\" needs");
        }
        boolean isCaseSensitive = arguments.flag(0, "case_sensitive", false);
        boolean isByValue = "value".equals(arguments.value(1, "by", "key"));
        List<@Nullable Object> pairs = Access.pairs(map);
        Comparator<@Nullable Object> order = (left, right) -> Values.compare(
                ListFilters.folded(Access.item(left, isByValue ? 1L : 0L), isCaseSensitive),
                ListFilters.folded(Access.item(right, isByValue ? 1L : 0L), isCaseSensitive));
        pairs.sort(arguments.flag(2, "reverse", false) ? order.reversed() : order);
        return pairs;
    }

    /// A mapping in the order of its arguments, for `dict(…)`.
    public static Map<String, @Nullable Object> mapping(Arguments arguments) {
        Map<String, @Nullable Object> mapping = new LinkedHashMap<>();
        for (Object source : arguments.positional()) {
            List<@Nullable Object> pairs =
                    source instanceof Map<?, ?> map ? Access.pairs(map) : new ArrayList<>(Values.items(source));
            for (Object pair : pairs) {
                mapping.put(Values.text(Access.item(pair, 0L)), Access.item(pair, 1L));
            }
        }
        mapping.putAll(arguments.named());
        return mapping;
    }
}
