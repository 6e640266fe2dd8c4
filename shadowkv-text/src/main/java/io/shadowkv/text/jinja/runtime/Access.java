package io.shadowkv.text.jinja.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Fields, items and methods of values.
///
/// There are no methods that change a list or mapping; Hugging Face's sandbox forbids them too.
public final class Access {
    private static final Map<String, Parameters> MAP_METHODS = Parameters.table("""
            items|keys|values|copy()
            get(key, default=, /)""");

    private static final Map<String, Parameters> LIST_METHODS = Parameters.table("""
            index(value, start=, stop=, /)
            count(value, /)
            copy()""");

    private Access() {}

    /// `object.name`: looks for a method before an item, as Python looks for attributes first.
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
        if (object instanceof Tuple tuple && tuple.names().contains(name)) {
            return tuple.get(tuple.names().indexOf(name));
        }
        if (object instanceof Namespace namespace && namespace.fields().containsKey(name)) {
            return namespace.fields().get(name);
        }
        return new Undefined("the field \"" + name + "\" of " + Values.described(object));
    }

    /// `object[key]`: looks for an item before a method.
    public static @Nullable Object item(@Nullable Object object, @Nullable Object key) {
        if (object instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (object instanceof Map<?, ?> map && has(map, key)) {
            return get(map, key);
        }
        if (Values.number(key) instanceof Long index && (object instanceof List<?> || object instanceof String)) {
            return Sequences.item(object, index);
        }
        if (key instanceof String name && !(object instanceof Map<?, ?>)) {
            return attribute(object, name);
        }
        Object method = key instanceof String name ? method(object, name) : null;
        return method != null
                ? method
                : new Undefined("the item " + Values.described(key) + " of " + Values.described(object));
    }

    /// True if a mapping has a key that equals this one in Python; `1`, `1.0` and `true` are equal.
    static boolean has(Map<?, ?> map, @Nullable Object key) {
        return key instanceof String ? map.containsKey(key) : twin(map, key) != null;
    }

    /// The value of a key that the mapping [#has].
    static @Nullable Object get(Map<?, ?> map, @Nullable Object key) {
        Map.Entry<?, ?> twin = key instanceof String ? null : twin(map, key);
        return twin == null ? map.get(key) : twin.getValue();
    }

    /// Sets the value of a key; an existing equal key keeps its original form.
    public static void put(Map<@Nullable Object, @Nullable Object> map, @Nullable Object key, @Nullable Object value) {
        if (key instanceof Map<?, ?> || key instanceof List<?> && !(key instanceof Tuple)) {
            throw new JinjaException(Values.described(key) + " cannot be the key of a mapping");
        }
        Map.Entry<?, ?> twin = key instanceof String ? null : twin(map, key);
        map.put(twin == null ? key : twin.getKey(), value);
    }

    private static Map.@Nullable Entry<?, ?> twin(Map<?, ?> map, @Nullable Object key) {
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (Values.equal(entry.getKey(), key)) {
                return entry;
            }
        }
        return null;
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
        Callable method = switch (name) {
            case "items" -> arguments -> pairs(map);
            case "keys" -> arguments -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> arguments -> new ArrayList<@Nullable Object>(map.values());
            case "get" ->
                arguments -> {
                    Object key = arguments.required(0, "key");
                    return has(map, key) ? get(map, key) : arguments.value(1, "default", null);
                };
            case "copy" -> arguments -> map;
            default -> null;
        };
        Parameters parameters = MAP_METHODS.get(name);
        return method == null || parameters == null ? null : parameters.checked(method);
    }

    private static @Nullable Callable listMethod(List<?> list, String name) {
        Callable method = switch (name) {
            case "index" -> arguments -> Sequences.index(list, arguments);
            case "count" ->
                arguments -> {
                    Object item = arguments.required(0, "value");
                    return list.stream()
                            .filter(other -> Values.equal(other, item))
                            .count();
                };
            case "copy" -> list instanceof Tuple ? null : arguments -> list;
            case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse" ->
                arguments -> {
                    throw new JinjaException(
                            "a template may not change a list (" + name + "); use + to make a new one");
                };
            default -> null;
        };
        Parameters parameters = LIST_METHODS.get(name);
        return method == null || parameters == null ? method : parameters.checked(method);
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
