package io.shadowkv.text.jinja.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Fields, items, slices and methods of values.
///
/// Methods that change a list or mapping do not exist: Hugging Face's sandbox forbids them too.
public final class Access {
    private Access() {}

    /// `object.name`: a method before an item, as Python finds attributes first.
    public static @Nullable Object attribute(@Nullable Object object, String name) {
        if (object instanceof Undefined undefined) {
            throw undefined.used();
        }
        Object method = method(object, name);
        if (method != null) {
            return method;
        }
        if (object instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        if (object instanceof Namespace namespace && namespace.fields().containsKey(name)) {
            return namespace.fields().get(name);
        }
        return new Undefined("the field \"" + name + "\" of " + Values.described(object));
    }

    /// `object[key]`: an item before a method.
    public static @Nullable Object item(@Nullable Object object, @Nullable Object key) {
        if (object instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (object instanceof Map<?, ?> map && map.containsKey(key)) {
            return map.get(key);
        }
        if (Values.number(key) instanceof Long index && (object instanceof List<?> || object instanceof String)) {
            return element(object, index);
        }
        if (key instanceof String name && !(object instanceof Map<?, ?>)) {
            return attribute(object, name);
        }
        Object method = key instanceof String name ? method(object, name) : null;
        return method != null
                ? method
                : new Undefined("the item " + Values.described(key) + " of " + Values.described(object));
    }

    private static @Nullable Object element(@Nullable Object sequence, long index) {
        List<@Nullable Object> items = Values.items(sequence);
        long place = index < 0 ? index + items.size() : index;
        return place >= 0 && place < items.size()
                ? items.get((int) place)
                : new Undefined("item " + index + " of " + Values.described(sequence));
    }

    /// `object[start:stop:step]` as Python cuts; null bounds reach to the ends.
    public static Object slice(
            @Nullable Object object, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        if (object instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (!(object instanceof List<?> || object instanceof String)) {
            throw new JinjaException(Values.described(object) + " cannot be sliced");
        }
        List<@Nullable Object> items = Values.items(object);
        long stride = bound(step, 1);
        if (stride == 0) {
            throw new JinjaException("a slice's step is 0");
        }
        boolean isForward = stride > 0;
        long lowest = isForward ? 0 : -1;
        long highest = isForward ? items.size() : items.size() - 1;
        long from =
                start == null ? isForward ? lowest : highest : clamped(bound(start, 0), items.size(), lowest, highest);
        long to = stop == null ? isForward ? highest : lowest : clamped(bound(stop, 0), items.size(), lowest, highest);
        List<@Nullable Object> cut = new ArrayList<>();
        for (long i = from;
                isForward ? i < to : i > to;
                i += Math.clamp(stride, -items.size() - 1L, items.size() + 1L)) {
            cut.add(items.get((int) i));
        }
        if (object instanceof String) {
            return TextMethods.join("", cut);
        }
        return object instanceof Tuple ? new Tuple(cut) : cut;
    }

    private static long clamped(long bound, int size, long lowest, long highest) {
        return Math.clamp(bound < 0 ? bound + size : bound, lowest, highest);
    }

    private static long bound(@Nullable Object value, long otherwise) {
        if (value == null) {
            return otherwise;
        }
        if (Values.number(value) instanceof Long bound) {
            return Math.clamp(bound, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        throw new JinjaException("a slice's bound is " + Values.described(value) + "; expected an integer");
    }

    private static @Nullable Callable method(@Nullable Object object, String name) {
        return switch (object) {
            case String text -> TextMethods.method(text, name);
            case Map<?, ?> map -> mapMethod(map, name);
            case List<?> list -> listMethod(list, name);
            case null, default -> null;
        };
    }

    private static @Nullable Callable mapMethod(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> arguments -> pairs(map);
            case "keys" -> arguments -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> arguments -> new ArrayList<@Nullable Object>(map.values());
            case "get" ->
                arguments -> {
                    Object key = arguments.required(0, "key");
                    return map.containsKey(key) ? map.get(key) : arguments.value(1, "default", null);
                };
            case "copy" -> arguments -> map;
            default -> null;
        };
    }

    private static @Nullable Callable listMethod(List<?> list, String name) {
        return switch (name) {
            case "index" ->
                arguments -> {
                    Object item = arguments.required(0, "value");
                    return IntStream.range(0, list.size())
                            .filter(place -> Values.equal(list.get(place), item))
                            .mapToObj(place -> (Object) (long) place)
                            .findFirst()
                            .orElseThrow(() -> new JinjaException(Values.described(item) + " is not in the list"));
                };
            case "count" ->
                arguments -> {
                    Object item = arguments.required(0, "value");
                    return list.stream()
                            .filter(other -> Values.equal(other, item))
                            .count();
                };
            case "copy" -> arguments -> list;
            case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse" ->
                arguments -> {
                    throw new JinjaException(
                            "a template may not change a list (" + name + "); use + to make a new one");
                };
            default -> null;
        };
    }

    /// The entries as pairs (key, value).
    public static List<@Nullable Object> pairs(Map<?, ?> map) {
        List<@Nullable Object> pairs = new ArrayList<>();
        map.forEach((key, value) -> {
            List<@Nullable Object> pair = new ArrayList<>();
            pair.add(key);
            pair.add(value);
            pairs.add(new Tuple(pair));
        });
        return pairs;
    }
}
