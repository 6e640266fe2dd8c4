package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Access;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Arithmetic;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.TextMethods;
import io.shadowkv.text.jinja.runtime.Tuple;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The filters of lists (and of what can be iterated over).
final class ListFilters {
    private ListFilters() {}

    static @Nullable Object apply(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "list" -> Values.items(value);
            case "first" -> end(value, true);
            case "last" -> end(value, false);
            case "join" -> join(value, arguments);
            case "map" -> map(value, arguments);
            case "select" -> select(value, arguments, 0, item -> item, true);
            case "reject" -> select(value, arguments, 0, item -> item, false);
            case "selectattr" -> select(value, arguments, 1, path(arguments.required(0, "attribute")), true);
            case "rejectattr" -> select(value, arguments, 1, path(arguments.required(0, "attribute")), false);
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

    private static @Nullable Object end(@Nullable Object value, boolean isFirst) {
        List<@Nullable Object> items = Values.items(value);
        if (items.isEmpty()) {
            return new Undefined("the " + (isFirst ? "first" : "last") + " item of nothing");
        }
        return isFirst ? items.getFirst() : items.getLast();
    }

    /// The value at a dotted path of each item (`function.name`, `0`).
    private static Function<@Nullable Object, @Nullable Object> path(@Nullable Object attribute) {
        if (attribute == null) {
            return item -> item;
        }
        return item -> {
            Object found = item;
            for (String part : Values.text(attribute).split("\\.")) {
                found = Access.item(found, part.matches("\\d{1,9}") ? (Object) Long.valueOf(part) : part);
            }
            return found;
        };
    }

    private static String join(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = Values.items(value);
        items.replaceAll(path(arguments.value(1, "attribute", null))::apply);
        return TextMethods.join(Values.text(arguments.value(0, "d", "")), items);
    }

    private static List<@Nullable Object> map(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = Values.items(value);
        if (arguments.named().containsKey("attribute")) {
            Function<@Nullable Object, @Nullable Object> path =
                    path(arguments.named().get("attribute"));
            boolean hasDefault = arguments.named().containsKey("default");
            items.replaceAll(item -> {
                Object found = path.apply(item);
                return hasDefault && found instanceof Undefined
                        ? arguments.named().get("default")
                        : found;
            });
            return items;
        }
        String filter = arguments.text(0, "filter");
        items.replaceAll(item -> Filters.apply(item, filter, behind(arguments, 1)));
        return items;
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
        List<@Nullable Object> items = Values.items(value);
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

    /// Strings fold to lower case unless case counts.
    static @Nullable Object folded(@Nullable Object value, boolean isCaseSensitive) {
        return value instanceof String text && !isCaseSensitive ? text.toLowerCase(Locale.ROOT) : value;
    }

    private static List<@Nullable Object> unique(@Nullable Object value, Arguments arguments) {
        boolean isCaseSensitive = arguments.flag(0, "case_sensitive", false);
        Function<@Nullable Object, @Nullable Object> path = path(arguments.value(1, "attribute", null));
        List<@Nullable Object> seen = new ArrayList<>();
        List<@Nullable Object> items = Values.items(value);
        items.removeIf(item -> {
            Object key = folded(path.apply(item), isCaseSensitive);
            boolean isKnown = Values.contains(seen, key);
            if (!isKnown) {
                seen.add(key);
            }
            return isKnown;
        });
        return items;
    }

    private static Comparator<@Nullable Object> order(@Nullable Object attribute, boolean isCaseSensitive) {
        Function<@Nullable Object, @Nullable Object> path = path(attribute);
        return (left, right) ->
                Values.compare(folded(path.apply(left), isCaseSensitive), folded(path.apply(right), isCaseSensitive));
    }

    private static List<@Nullable Object> sort(@Nullable Object value, Arguments arguments) {
        List<@Nullable Object> items = Values.items(value);
        Comparator<@Nullable Object> order =
                order(arguments.value(2, "attribute", null), arguments.flag(1, "case_sensitive", false));
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
                order(arguments.value(1, "attribute", null), arguments.flag(0, "case_sensitive", false));
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
            while (arguments.isGiven(1, "fill_with") && batch.size() < size) {
                batch.add(arguments.value(1, "fill_with", null));
                Arithmetic.checkSize(batch.size());
            }
            batches.add(batch);
        }
        return batches;
    }

    private static List<@Nullable Object> groupBy(@Nullable Object value, Arguments arguments) {
        Object attribute = arguments.required(0, "attribute");
        Function<@Nullable Object, @Nullable Object> path = path(attribute);
        List<@Nullable Object> items = Values.items(value);
        items.sort(order(attribute, arguments.flag(2, "case_sensitive", false)));
        List<@Nullable Object> groups = new ArrayList<>();
        List<@Nullable Object> members = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            members.add(items.get(i));
            if (i + 1 == items.size() || !Values.equal(path.apply(items.get(i)), path.apply(items.get(i + 1)))) {
                List<@Nullable Object> group = new ArrayList<>();
                group.add(path.apply(items.get(i)));
                group.add(members);
                groups.add(new Tuple(group));
                members = new ArrayList<>();
            }
        }
        return groups;
    }
}
