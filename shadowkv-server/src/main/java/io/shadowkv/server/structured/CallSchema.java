package io.shadowkv.server.structured;

import io.shadowkv.server.json.JsonBody;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The JSON schema of a call: `{"name": NAME, "arguments": ARGUMENTS}` of one of several functions.
final class CallSchema {
    /// Keywords whose value is a map from names to schemas.
    private static final Set<String> MAPS = Set.of("properties", "$defs", "definitions", "patternProperties");
    /// Keywords whose value is data.
    private static final Set<String> DATA = Set.of("const", "enum", "default", "examples", "example");

    private CallSchema() {}

    static JsonNode of(List<Tool> tools) {
        ObjectNode root = JsonBody.object();
        ArrayNode calls = root.putArray("anyOf");
        for (Tool tool : tools) {
            String place = "#" + place(calls.size());
            ObjectNode call = calls.addObject();
            call.put("type", "object");
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", tool.name());
            properties.set("arguments", moved(tool.parameters(), place));
            call.putArray("required").add("name").add("arguments");
            call.put("additionalProperties", false);
        }
        return root;
    }

    /// JSON pointer of the parameters of a tool.
    static String place(int tool) {
        return "/anyOf/" + tool + "/properties/arguments";
    }

    /// A copy of a schema whose references within the schema lead to its new place.
    private static JsonNode moved(JsonNode schema, String place) {
        if (schema.isArray()) {
            ArrayNode copy = JsonBody.object().putArray("copy");
            schema.forEach(element -> copy.add(moved(element, place)));
            return copy;
        }
        if (!schema.isObject()) {
            return schema;
        }
        ObjectNode copy = JsonBody.object();
        schema.properties().forEach(entry -> {
            String keyword = entry.getKey();
            JsonNode value = entry.getValue();
            if (keyword.equals("$ref")
                    && value.isString()
                    && value.stringValue().startsWith("#")) {
                copy.put(keyword, place + value.stringValue().substring(1));
            } else if (DATA.contains(keyword)) {
                copy.set(keyword, value);
            } else if (MAPS.contains(keyword) && value.isObject()) {
                ObjectNode named = copy.putObject(keyword);
                value.properties().forEach(one -> named.set(one.getKey(), moved(one.getValue(), place)));
            } else {
                copy.set(keyword, moved(value, place));
            }
        });
        return copy;
    }
}
