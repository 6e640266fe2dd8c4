package io.shadowkv.eval.scbench;

import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.text.JsonRow;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Formats a row's fields as Python's `str.format` writes them into a prompt.
final class PythonFormat {
    private PythonFormat() {}

    /// Formats a field: a string unchanged; a list of whole numbers or strings as Python prints it,
    /// `[3, 4]` or `['a', 'b']`.
    ///
    /// @throws IllegalArgumentException if there is no such field, or it is an object or a list of
    ///     other elements
    static String text(JsonRow row, String field) {
        JsonNode value = row.fields().get(field);
        return value != null && value.isArray() ? list(row, value, field) : row.text(field);
    }

    private static String list(JsonRow row, JsonNode list, String field) {
        List<String> elements = new ArrayList<>();
        for (JsonNode element : list) {
            if (element.isArray()) {
                elements.add(list(row, element, field));
            } else if (element.isString()) {
                elements.add(PythonText.quoted(element.stringValue()));
            } else if (element.isIntegralNumber()) {
                elements.add(element.asString());
            } else {
                throw new IllegalArgumentException(row.place() + ": the list \"" + field + "\" has a JSON "
                        + element.getNodeType() + " in it; expected whole numbers or strings");
            }
        }
        return "[" + String.join(", ", elements) + "]";
    }
}
