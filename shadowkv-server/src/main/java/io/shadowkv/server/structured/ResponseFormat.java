package io.shadowkv.server.structured;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import tools.jackson.databind.JsonNode;

/// The field `response_format`: the form of the answer's text.
public sealed interface ResponseFormat {
    /// The name of the field, for errors.
    String FIELD = "response_format";

    /// Any text.
    record Text() implements ResponseFormat {}

    /// Any JSON object.
    record JsonObject() implements ResponseFormat {}

    /// JSON that is valid under a schema. The server enforces it whether the request says `strict`
    /// or not.
    record JsonSchema(JsonNode schema) implements ResponseFormat {}

    /// @throws ApiException if the field is malformed
    static ResponseFormat read(Fields request) {
        Fields format = request.object(FIELD).orElse(null);
        if (format == null) {
            return new Text();
        }
        String type = format.text("type").orElse("");
        return switch (type) {
            case "text" -> new Text();
            case "json_object" -> new JsonObject();
            case "json_schema" -> schema(format);
            default ->
                throw ApiException.invalid(
                        FIELD,
                        "response_format.type is \"" + (type.length() > 40 ? type.substring(0, 40) + "…" : type)
                                + "\"; expected text, json_object or json_schema");
        };
    }

    private static JsonSchema schema(Fields format) {
        Fields named = format.object("json_schema").orElseThrow(() -> absent("response_format.json_schema"));
        named.text("name");
        named.flag("strict", false);
        return new JsonSchema(named.node("schema").orElseThrow(() -> absent("response_format.json_schema.schema")));
    }

    private static ApiException absent(String path) {
        return ApiException.invalid(FIELD, path + " is absent; give an object with name and schema");
    }
}
