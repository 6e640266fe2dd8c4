package io.shadowkv.server.structured;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The fields `tools`, `tool_choice` and `parallel_tool_calls`.
///
/// @param tools functions that the model may call; empty if it may call none
/// @param isRequired true if the answer is a call of one of them; false if the model chooses
/// @param isParallel true if an answer may have several calls
public record ToolFields(List<Tool> tools, boolean isRequired, boolean isParallel) {
    private static final String TOOLS = "tools";
    private static final String CHOICE = "tool_choice";

    public ToolFields {
        tools = List.copyOf(tools);
    }

    /// True if the model decides between text and calls.
    public boolean isAuto() {
        return !tools.isEmpty() && !isRequired;
    }

    /// The tools for the chat template.
    public List<@Nullable Object> templateValues() {
        List<@Nullable Object> values = new ArrayList<>();
        tools.forEach(tool -> values.add(Fields.value(tool.node())));
        return values;
    }

    /// With `tool_choice` none there are no tools: the model does not see them. With a named
    /// function, there is this one only.
    ///
    /// @throws ApiException if a field is malformed, or names a tool that is not there
    public static ToolFields read(Fields request) {
        List<Tool> tools = tools(request);
        boolean isParallel = request.flag("parallel_tool_calls", true);
        JsonNode choice = request.node(CHOICE).orElse(null);
        if (choice instanceof ObjectNode object) {
            return new ToolFields(List.of(named(tools, new Fields(object, CHOICE))), true, isParallel);
        }
        return switch (request.text(CHOICE).orElse("auto")) {
            case "none" -> new ToolFields(List.of(), false, isParallel);
            case "auto" -> new ToolFields(tools, false, isParallel);
            case "required" -> {
                if (tools.isEmpty()) {
                    throw ApiException.invalid(CHOICE, "tool_choice is required, but there are no tools; give tools");
                }
                yield new ToolFields(tools, true, isParallel);
            }
            default ->
                throw request.wrong(
                        CHOICE,
                        java.util.Objects.requireNonNull(choice),
                        "none, auto, required, or an object with type \"function\" and the function's name");
        };
    }

    private static Tool named(List<Tool> tools, Fields choice) {
        String type = choice.text("type").orElse("");
        if (!type.equals("function")) {
            throw ApiException.invalid(
                    CHOICE,
                    "unsupported_parameter",
                    "tool_choice is an object whose type is not \"function\"; only functions can be chosen");
        }
        String name = choice.object("function")
                .flatMap(function -> function.text("name"))
                .orElse("");
        return tools.stream()
                .filter(tool -> tool.name().equals(name))
                .findFirst()
                .orElseThrow(() -> ApiException.invalid(
                        CHOICE,
                        "tool_choice names a function that is not in tools; tools has "
                                + tools.stream().map(Tool::name).toList()));
    }

    private static List<Tool> tools(Fields request) {
        List<Tool> tools = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode node : request.array(TOOLS)) {
            String path = TOOLS + "[" + tools.size() + "]";
            if (!(node instanceof ObjectNode object)) {
                throw request.wrong(path, node, "an object with type and function");
            }
            Tool tool = tool(new Fields(object, path), node);
            if (!names.add(tool.name())) {
                throw ApiException.invalid(
                        path + ".function.name", "tools has two functions of one name; give each its own");
            }
            tools.add(tool);
        }
        return tools;
    }

    private static Tool tool(Fields fields, JsonNode node) {
        if (!fields.text("type").orElse("").equals("function")) {
            throw ApiException.invalid(
                    fields.path("type"),
                    "unsupported_parameter",
                    fields.path("type") + " is not \"function\"; only functions are supported");
        }
        Fields function = fields.object("function")
                .orElseThrow(() -> ApiException.invalid(
                        fields.path("function"), fields.path("function") + " is absent; give its name"));
        String name = function.text("name").orElse("");
        if (name.isEmpty()) {
            throw ApiException.invalid(
                    function.path("name"), function.path("name") + " is absent or empty; give the function a name");
        }
        function.flag("strict", false);
        boolean hasParameters = function.object("parameters")
                .filter(schema -> !schema.names().isEmpty())
                .isPresent();
        return new Tool(name, hasParameters ? node.at("/function/parameters") : noParameters(), node);
    }

    /// A function without `parameters`, or with an empty object, has no arguments.
    private static JsonNode noParameters() {
        ObjectNode schema = JsonBody.object();
        schema.put("type", "object");
        schema.putObject("properties");
        schema.put("additionalProperties", false);
        return schema;
    }
}
