package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Access;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Arithmetic;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Parameters;
import io.shadowkv.text.jinja.runtime.Sequences;
import io.shadowkv.text.jinja.runtime.TextMethods;
import io.shadowkv.text.jinja.runtime.Tuple;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The filters of lists and other iterable values.
final class ListFilters {
    private static final Parameters MAP_ATTRIBUTE = new Parameters("map", List.of("attribute", "default"), 0, 0, false);

    private static final Parameters TEST_OF_ATTRIBUTE = new Parameters("selectattr", List.of("attribute"), 1, 1, true);

    private ListFilters() {}

    static @Nullable Object apply(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "list" -> Values.items(value);
            case "first" -> Sequences.end(value, true);
            case "last" -> Sequences.end(value, false);
            case "join" -> join(value, arguments);
            case "map" -> map(value, arguments);
            case "select" -> select(value, arguments, 0, item -> item, true);
            case "reject" -> select(value, arguments, 0, item -> item, false);
            case "selectattr" -> select(value, arguments, 1, tested(arguments), true);
            case "rejectattr" -> select(value, arguments, 1, tested(arguments), false);
            case "unique" -> unique(value, arguments);
            case "sort" -> sort(value, arguments);
            case "reverse" ->
                value instanceof String text
                        ? new StringBuilder(text).reverse().toString()
                        : Values.items(value).reversed();
            case "sum" -> sum(value, arguments);
            case "min" -> extreme(value, arguments, true);
            case "max" -> extreme(value, arguments, false);
            case "batch" -> batch(value, arguments);
            case "groupby" -> groupBy(value, arguments);
            default -> throw new JinjaException("there is no filter \"" + name + "\" here");
        };
    }

    /// The value at a dotted path of each item (`function.name`, `0`); `otherwise` if a part does
    /// not exist.
    private static Function<@Nullable Object, @Nullable Object> path(
            @Nullable Object attribute, @Nullable Object otherwise) {
        if (attribute == null) {
            return item -> item;
        }
        String[] parts = Values.text(attribute).split("\\.");
        return item -> {
            Object found = item;
            for (String part : parts) {
                found = Access.item(found, part.matches("\\d{1,9}") ? (Object) Long.valueOf(part) : part);
                found = otherwise != null && found instanceof Undefined ? otherwise : found;
            }
            return found;
        };
    }

    private static Function<@Nullable Object, @Nullable Object> path(@Nullable Object attribute) {
        return path(attribute, null);
    }

    private static String join(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = Values.items(value);
        items.replaceAll(path(arguments.value(1, "attribute", null))::apply);
        return TextMethods.join(Values.text(arguments.value(0, "d", "")), items);
    }

    /// The items; for these filters, none, 0 and similar values are an empty list.
    private static List<@Nullable Object> itemsOrNone(@Nullable Object value) {
        return Values.isTrue(value) ? Values.items(value) : new ArrayList<>();
    }

    private static List<@Nullable Object> map(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = itemsOrNone(value);
        if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
            MAP_ATTRIBUTE.check(arguments);
            items.replaceAll(
                    path(arguments.named().get("attribute"), arguments.named().get("default"))::apply);
            return items;
        }
        String filter = arguments.text(0, "filter");
        items.replaceAll(item -> Filters.apply(item, filter, behind(arguments, 1)));
        return items;
    }

    private static Function<@Nullable Object, @Nullable Object> tested(Arguments arguments) {
        TEST_OF_ATTRIBUTE.check(arguments);
        return path(arguments.positional().getFirst());
    }

    private static Arguments behind(Arguments arguments, int count) {
        List<@Nullable Object> positional = arguments.positional();
        return new Arguments(
                positional.subList(Math.min(count, positional.size()), positional.size()), arguments.named());
    }

    private static List<@Nullable Object> select(
            @Nullable Object value,
            Arguments arguments,
            int testPlace,
            Function<@Nullable Object, @Nullable Object> path,
            boolean isKept) {
        List<@Nullable Object> items = itemsOrNone(value);
        boolean hasTest = arguments.positional().size() > testPlace;
        items.removeIf(item -> {
            Object tested = path.apply(item);
            boolean holds = hasTest
                    ? Tests.holds(tested, arguments.text(testPlace, "test"), behind(arguments, testPlace + 1))
                    : Values.isTrue(tested);
            return holds != isKept;
        });
        return items;
    }

    /// Converts strings to lower case unless case matters.
    static @Nullable Object folded(@Nullable Object value, boolean isCaseSensitive) {
        return value instanceof String text && !isCaseSensitive ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static List<@Nullable Object> unique(@Nullable Object value, Arguments arguments) {
        boolean isCaseSensitive = arguments.flag(0, "case_sensitive", false);
        Function<@Nullable Object, @Nullable Object> path = path(arguments.value(1, "attribute", null));
        Set<Object> seen = new HashSet<>();
        List<@Nullable Object> items = Values.items(value);
        items.removeIf(item -> !seen.add(Values.hashable(folded(path.apply(item), isCaseSensitive))));
        return items;
    }

    private static Comparator<@Nullable Object> order(
            Function<@Nullable Object, @Nullable Object> path, boolean isCaseSensitive) {
        return (left, right) ->
                Values.compare(folded(path.apply(left), isCaseSensitive), folded(path.apply(right), isCaseSensitive));
    }

    /// Treats equal keys, including undefined ones, as equal without comparing their order.
    private static Comparator<@Nullable Object> orEqual(
            Function<@Nullable Object, @Nullable Object> path, boolean isCaseSensitive) {
        Comparator<@Nullable Object> order = order(path, isCaseSensitive);
        return (left, right) -> Values.equal(path.apply(left), path.apply(right)) ? 0 : order.compare(left, right);
    }

    /// Sorts by one or more attributes, separated by commas.
    private static List<@Nullable Object> sort(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = Values.items(value);
        Object attributes = arguments.value(2, "attribute", null);
        boolean isCaseSensitive = arguments.flag(1, "case_sensitive", false);
        Comparator<@Nullable Object> order = order(path(null), isCaseSensitive);
        if (attributes != null) {
            order = Stream.of(Values.text(attributes).split(","))
                    .map(attribute -> orEqual(path(attribute), isCaseSensitive))
                    .reduce(Comparator::thenComparing)
                    .orElse(order);
        }
        items.sort(arguments.flag(0, "reverse", false) ? order.reversed() : order);
        return items;
    }

    private static @Nullable Object sum(@Nullable Object value, Arguments arguments) {
        Function<@Nullable Object, @Nullable Object> path = path(arguments.value(0, "attribute", null));
        Object sum = arguments.value(1, "start", 0L);
        for (Object item : Values.items(value)) {
            sum = Arithmetic.apply("+", sum, path.apply(item));
        }
        return sum;
    }

    private static @Nullable Object extreme(@Nullable Object value, Arguments arguments, boolean isLowest) {
        Comparator<@Nullable Object> order =
                order(path(arguments.value(1, "attribute", null)), arguments.flag(0, "case_sensitive", false));
        List<@Nullable Object> items = Values.items(value);
        Object best = items.isEmpty() ? new Undefined("the extreme of nothing") : items.getFirst();
        for (Object item : items) {
            int compared = order.compare(item, best);
            best = (isLowest ? compared < 0 : compared > 0) ? item : best;
        }
        return best;
    }

    private static List<@Nullable Object> batch(@Nullable Object value, Arguments arguments) {
        int size = Math.clamp(arguments.integer(0, "linecount", 1), 1, Integer.MAX_VALUE);
        List<@Nullable Object> items = Values.items(value);
        List<@Nullable Object> batches = new ArrayList<>();
        for (int i = 0; i < items.size(); i = Math.addExact(i, Math.min(size, items.size()))) {
            List<@Nullable Object> batch =
                    new ArrayList<>(items.subList(i, Math.min(items.size(), i + Math.min(size, items.size()))));
            Object filling = arguments.value(1, "fill_with", null);
            while (filling != null && batch.size() < size) {
                batch.add(filling);
                Arithmetic.checkSize(batch.size());
            }
            batches.add(batch);
        }
        return batches;
    }

    /// Groups of equal keys; if case does not matter, the key of a group is that of its first
    /// member.
    private static List<@Nullable Object> groupBy(@Nullable Object value, Arguments arguments) {
        boolean isCaseSensitive = arguments.flag(2, "case_sensitive", false);
        Function<@Nullable Object, @Nullable Object> path =
                path(arguments.required(0, "attribute"), arguments.value(1, "default", null));
        List<@Nullable Object> items = Values.items(value);
        items.sort(order(path, isCaseSensitive));
        List<@Nullable Object> groups = new ArrayList<>();
        int begin = 0;
        for (int i = 1; i <= items.size(); i++) {
            Object key = path.apply(items.get(begin));
            boolean isSame = i < items.size()
                    && Values.equal(folded(key, isCaseSensitive), folded(path.apply(items.get(i)), isCaseSensitive));
            if (!isSame) {
                List<@Nullable Object> group = new ArrayList<>();
                group.add(key);
                group.add(new ArrayList<>(items.subList(begin, i)));
                groups.add(new Tuple(group, List.of("grouper", "list")));
                begin = i;
            }
        }
        return groups;
    }
}
