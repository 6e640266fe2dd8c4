package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Access;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Json;
import io.shadowkv.text.jinja.runtime.Parameters;
import io.shadowkv.text.jinja.runtime.PercentFormat;
import io.shadowkv.text.jinja.runtime.TextMethods;
import io.shadowkv.text.jinja.runtime.TextSearch;
import io.shadowkv.text.jinja.runtime.Tuple;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The filters of single values; those of lists are in [ListFilters].
public final class Filters {
    private static final Map<String, Parameters> FILTERS = Parameters.table("""
            trim(chars=)
            upper|lower|title|capitalize|string|safe|escape|e|forceescape()
            wordcount|length|count|items|list|first|last|reverse|abs()
            tojson(ensure_ascii=, indent=, separators=, sort_keys=)
            replace(old, new, count=)
            indent(width=, first=, blank=)
            default|d(default_value=, boolean=)
            int(default=, base=)
            float(default=)
            round(precision=, method=)
            format(*)
            center(width=)
            attr(name)
            dictsort(case_sensitive=, by=, reverse=)
            join(d=, attribute=)
            map|select|reject|selectattr|rejectattr(*)
            unique|min|max(case_sensitive=, attribute=)
            sort(reverse=, case_sensitive=, attribute=)
            sum(attribute=, start=)
            batch(linecount, fill_with=)
            groupby(attribute, default=, case_sensitive=)""");

    private static final Pattern TITLE_WORD = Pattern.compile("[-\\s({\\[<]+|[^-\\s({\\[<]+");
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

    private Filters() {}

    /// @throws JinjaException if the filter does not exist, or its arguments are invalid
    public static @Nullable Object apply(@Nullable Object value, String name, Arguments arguments) {
        Parameters parameters = FILTERS.get(name);
        if (parameters == null) {
            throw new JinjaException("there is no filter \"" + name + "\" here");
        }
        parameters.check(arguments);
        return switch (name) {
            case "trim" -> TextMethods.strip(Values.text(value), arguments, true, true);
            case "upper" -> Values.text(value).toUpperCase(Locale.ROOT);
            case "lower" -> Values.text(value).toLowerCase(Locale.ROOT);
            case "title" -> title(Values.text(value));
            case "capitalize" -> TextMethods.capitalize(Values.text(value));
            case "string", "safe" -> Values.text(value);
            case "tojson" -> Json.text(value, arguments);
            case "replace" ->
                TextSearch.replace(
                        Values.text(value),
                        Values.text(arguments.required(0, "old")),
                        Values.text(arguments.required(1, "new")),
                        arguments.integer(2, "count", -1));
            case "indent" -> indent(Values.text(value), arguments);
            case "default", "d" -> orDefault(value, arguments);
            case "length", "count" -> length(value);
            default -> lessUsual(value, name, arguments);
        };
    }

    private static @Nullable Object lessUsual(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "int" -> NumberFilters.integer(value, arguments);
            case "float" -> NumberFilters.floating(value, arguments);
            case "round" -> NumberFilters.round(value, arguments);
            case "abs" -> NumberFilters.absolute(value);
            case "format" -> PercentFormat.text(Values.text(value), operand(arguments));
            case "escape", "e", "forceescape" -> escape(Values.text(value));
            case "center" ->
                TextMethods.padded(Values.text(value), arguments.integer(0, "width", 80), " ", TextMethods.Side.CENTER);
            case "wordcount" -> WORD.matcher(Values.text(value)).results().count();
            case "attr" -> attribute(value, arguments.text(0, "name"));
            case "items" -> value instanceof Map<?, ?> map ? Access.pairs(map) : noItems(value);
            case "dictsort" -> dictSort(value, arguments);
            default -> ListFilters.apply(value, name, arguments);
        };
    }

    /// A field; items of a mapping are not fields.
    private static @Nullable Object attribute(@Nullable Object value, String name) {
        Object found = Access.attribute(value, name);
        boolean isItem = value instanceof Map<?, ?> && !(found instanceof Callable);
        return isItem ? new Undefined("the field \"" + name + "\" of " + Values.described(value)) : found;
    }

    private static Object operand(Arguments arguments) {
        if (!arguments.named().isEmpty() && !arguments.positional().isEmpty()) {
            throw new JinjaException("format takes arguments with names or without, not both");
        }
        return arguments.named().isEmpty() ? new Tuple(arguments.positional()) : arguments.named();
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
        long width = arguments.value(0, "width", null) instanceof String ? 0 : arguments.integer(0, "width", 4);
        Values.checkLength(width);
        String blanks = arguments.value(0, "width", null) instanceof String given
                ? given
                : " ".repeat((int) Math.max(0, width));
        boolean isFirst = arguments.flag(1, "first", false);
        boolean isBlankToo = arguments.flag(2, "blank", false);
        StringBuilder indented = new StringBuilder();
        List<@Nullable Object> lines = TextSearch.lines(text + "\n", false);
        for (int i = 0; i < lines.size(); i++) {
            String line = Values.text(lines.get(i));
            boolean isIndented = i == 0 ? isFirst : isBlankToo || !line.isEmpty();
            indented.append(i == 0 ? "" : "\n").append(isIndented ? blanks : "").append(line);
            Values.checkLength(indented.length());
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
        Object by = arguments.value(1, "by", "key");
        boolean isByValue = "value".equals(by);
        if (!isByValue && !"key".equals(by)) {
            throw new JinjaException("dictsort: by is " + Values.described(by) + "; expected \"key\" or \"value\"");
        }
        List<@Nullable Object> pairs = Access.pairs(map);
        Comparator<@Nullable Object> order = (left, right) -> Values.compare(
                ListFilters.folded(Access.item(left, isByValue ? 1L : 0L), isCaseSensitive),
                ListFilters.folded(Access.item(right, isByValue ? 1L : 0L), isCaseSensitive));
        pairs.sort(arguments.flag(2, "reverse", false) ? order.reversed() : order);
        return pairs;
    }

    /// A mapping in the order of its arguments, for `dict(…)`.
    public static Map<@Nullable Object, @Nullable Object> mapping(Arguments arguments) {
        if (arguments.positional().size() > 1) {
            throw new JinjaException("a mapping is made of one other value and of named ones, but got "
                    + arguments.positional().size() + " values");
        }
        Map<@Nullable Object, @Nullable Object> mapping = new LinkedHashMap<>();
        for (Object source : arguments.positional()) {
            List<@Nullable Object> pairs =
                    source instanceof Map<?, ?> map ? Access.pairs(map) : new ArrayList<>(Values.items(source));
            for (Object pair : pairs) {
                Access.put(mapping, Access.item(pair, 0L), Access.item(pair, 1L));
            }
        }
        mapping.putAll(arguments.named());
        return mapping;
    }
}
