package io.shadowkv.eval.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// One object of a published file, with access to its fields by name.
///
/// @param fields the object
/// @param place its position in the file, for messages
public record JsonRow(JsonNode fields, String place) {
    public boolean has(String field) {
        return fields.hasNonNull(field);
    }

    /// Labels of a sample of a published file: its `id`, or its number if the row has none, and
    /// whether its text was cut.
    public Map<String, String> labels(int index, boolean isTruncated) {
        String id = has("id") ? text("id") : Integer.toString(index);
        return Map.of("id", id, "truncated", Boolean.toString(isTruncated));
    }

    /// A string; a number or boolean as JSON writes it.
    ///
    /// @throws IllegalArgumentException if there is no such field or it is a list or an object
    public String text(String field) {
        return scalar(required(field), field);
    }

    /// The field's value, or its values if it is a list. If the only element of the list is a list,
    /// the values of that list.
    ///
    /// @throws IllegalArgumentException if there is no such field, or it has no value
    public List<String> texts(String field) {
        JsonNode value = required(field);
        if (value.isArray() && value.size() == 1 && value.get(0).isArray()) {
            value = value.get(0);
        }
        List<String> texts = new ArrayList<>();
        if (value.isArray()) {
            for (JsonNode element : value) {
                texts.add(scalar(element, field));
            }
        } else {
            texts.add(scalar(value, field));
        }
        if (texts.isEmpty()) {
            throw new IllegalArgumentException(place + ": the list \"" + field + "\" is empty; expected a value");
        }
        return texts;
    }

    /// The values of a list of the given length.
    ///
    /// @throws IllegalArgumentException if there is no such field, or it has another number of
    ///     values
    public List<String> texts(String field, int count) {
        List<String> texts = texts(field);
        if (texts.size() != count) {
            throw new IllegalArgumentException(place + ": has " + texts.size() + " " + field + "; expected " + count);
        }
        return texts;
    }

    /// The objects of a list.
    ///
    /// @throws IllegalArgumentException if there is no such field, or it is not a list of objects
    public List<JsonRow> rows(String field) {
        JsonNode value = required(field);
        List<JsonRow> rows = new ArrayList<>();
        for (JsonNode element : value) {
            if (element.isObject()) {
                rows.add(new JsonRow(element, place + ", " + field + " " + (rows.size() + 1)));
            }
        }
        if (rows.isEmpty() || rows.size() != value.size()) {
            throw new IllegalArgumentException(place + ": \"" + field + "\" is not a list of objects");
        }
        return rows;
    }

    private JsonNode required(String field) {
        JsonNode value = fields.get(field);
        if (value == null || value.isNull()) {
            throw new IllegalArgumentException(
                    place + ": has no field \"" + field + "\"; found " + String.join(", ", fields.propertyNames()));
        }
        return value;
    }

    private String scalar(JsonNode value, String field) {
        if (!value.isValueNode()) {
            throw new IllegalArgumentException(
                    place + ": \"" + field + "\" is a JSON " + value.getNodeType() + "; expected a string or number");
        }
        return value.asString();
    }
}
