package io.shadowkv.server.json;

import io.shadowkv.server.error.ApiException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields of a JSON object, read with checks whose messages name the field. A field that is null
/// counts as absent.
public final class Fields {
    private static final int SHOWN = 60;

    private final ObjectNode node;
    private final String path;

    /// @param path path of the object in the request; empty for the request itself
    public Fields(ObjectNode node, String path) {
        this.node = node;
        this.path = path;
    }

    /// The path of a field in the request, for `param` of an error.
    public String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /// The names of all fields.
    public Collection<String> names() {
        return node.propertyNames();
    }

    /// A copy of the object that has no fields of these names.
    public ObjectNode without(String... names) {
        ObjectNode copy = node.deepCopy();
        copy.remove(List.of(names));
        return copy;
    }

    public boolean has(String name) {
        return node.hasNonNull(name);
    }

    /// The field, or nothing if it is absent or null.
    public Optional<JsonNode> node(String name) {
        return Optional.ofNullable(node.get(name)).filter(value -> !value.isNull());
    }

    public Optional<String> text(String name) {
        return node(name).map(value -> {
            if (!value.isString()) {
                throw wrong(name, value, "a string");
            }
            return value.stringValue();
        });
    }

    public boolean flag(String name, boolean absent) {
        return node(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw wrong(name, value, "true or false");
                    }
                    return value.booleanValue();
                })
                .orElse(absent);
    }

    public OptionalInt integer(String name, int least, int most) {
        OptionalLong value = whole(name, least, most);
        return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
    }

    public OptionalLong whole(String name, long least, long most) {
        JsonNode value = node.get(name);
        if (value == null || value.isNull()) {
            return OptionalLong.empty();
        }
        // Some clients write whole numbers as 5.0.
        boolean isWhole = value.isNumber() && value.canConvertToExactIntegral() && value.canConvertToLong();
        if (!isWhole || value.longValue() < least || value.longValue() > most) {
            throw wrong(name, value, "a whole number from " + least + " to " + most);
        }
        return OptionalLong.of(value.longValue());
    }

    public OptionalDouble number(String name, double least, double most) {
        JsonNode value = node.get(name);
        if (value == null || value.isNull()) {
            return OptionalDouble.empty();
        }
        if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
            throw wrong(name, value, "a number from " + least + " to " + most);
        }
        return OptionalDouble.of(value.doubleValue());
    }

    public Optional<Fields> object(String name) {
        return node(name).map(value -> {
            if (value instanceof ObjectNode object) {
                return new Fields(object, path(name));
            }
            throw wrong(name, value, "an object");
        });
    }

    /// The elements of an array; empty if the field is absent.
    public List<JsonNode> array(String name) {
        return node(name)
                .map(value -> {
                    if (!value.isArray()) {
                        throw wrong(name, value, "an array");
                    }
                    return elements(value);
                })
                .orElse(List.of());
    }

    /// Whole numbers of an array that are ids of tokens; none if the field is absent.
    public List<Integer> ids(String name) {
        return IntStream.of(ids(name, array(name))).boxed().toList();
    }

    /// Whole numbers that are ids of tokens.
    ///
    /// @param name name of their array in messages
    public int[] ids(String name, Iterable<JsonNode> elements) {
        IntStream.Builder ids = IntStream.builder();
        int index = 0;
        for (JsonNode value : elements) {
            if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
                throw wrong(name + "[" + index + "]", value, "the id of a token, 0 or more");
            }
            ids.add(value.intValue());
            index++;
        }
        return ids.build().toArray();
    }

    /// The object as maps, lists, strings, numbers, booleans and nulls.
    public Map<String, @Nullable Object> values() {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        node.properties().forEach(entry -> values.put(entry.getKey(), value(entry.getValue())));
        return values;
    }

    /// A JSON value as maps, lists, strings, numbers, booleans and nulls.
    public static @Nullable Object value(JsonNode value) {
        return switch (value) {
            case ObjectNode object -> new Fields(object, "").values();
            case JsonNode array
            when array.isArray() -> {
                List<@Nullable Object> list = new ArrayList<>();
                elements(array).forEach(element -> list.add(value(element)));
                yield list;
            }
            case JsonNode text when text.isString() -> text.stringValue();
            case JsonNode flag when flag.isBoolean() -> flag.booleanValue();
            default -> value.isNumber() ? value.numberValue() : null;
        };
    }

    private static List<JsonNode> elements(JsonNode array) {
        List<JsonNode> elements = new ArrayList<>();
        array.forEach(elements::add);
        return elements;
    }

    /// The error of a field whose value is wrong.
    public ApiException wrong(String name, JsonNode found, String expected) {
        String shown = found.isString() || found.isObject() || found.isArray()
                ? found.getNodeType().name().toLowerCase(java.util.Locale.ROOT)
                : found.toString();
        return ApiException.invalid(
                path(name),
                path(name) + " is "
                        + (shown.length() > SHOWN ? shown.substring(0, SHOWN) + "…" : shown)
                        + "; expected " + expected);
    }
}
