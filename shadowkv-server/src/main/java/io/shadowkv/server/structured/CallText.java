package io.shadowkv.server.structured;

import io.shadowkv.server.json.JsonBody;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The texts with which models call tools when nothing constrains them:
/// - Llama 3.1: `{"name": NAME, "parameters": {…}}`, perhaps behind `<|python_tag|>`
/// - Qwen 2.5 and 3: `<tool_call>{"name": NAME, "arguments": {…}}</tool_call>`, several, perhaps
///   behind text
/// - Mistral: `[TOOL_CALLS][{"name": NAME, "arguments": {…}}]`, often without the first token, which
///   is special
/// - GLM-4: the name, and the arguments as JSON on the next line
///
/// The form alone decides, not the model's family. A text is a call only if it is one as a whole,
/// and if the request has a function of this name.
final class CallText {
    static final String QWEN = "<tool_call>";
    private static final String QWEN_END = "</tool_call>";
    private static final String MISTRAL = "[TOOL_CALLS]";
    private static final String LLAMA = "<|python_tag|>";

    /// How calls begin, except those of GLM-4.
    static final List<String> BEGINNINGS = List.of(QWEN, MISTRAL, LLAMA, "{", "[");

    private CallText() {}

    /// @param arguments compact JSON of an object
    record Call(String name, String arguments) {}

    /// The calls that a text consists of; empty if it is anything else.
    ///
    /// @param names the functions of the request
    static List<Call> parse(String text, Set<String> names) {
        String stripped = text.strip();
        if (stripped.startsWith(QWEN)) {
            return tagged(stripped, names);
        }
        for (String marker : List.of(MISTRAL, LLAMA)) {
            if (stripped.startsWith(marker)) {
                stripped = stripped.substring(marker.length()).strip();
            }
        }
        if (stripped.startsWith("{") || stripped.startsWith("[")) {
            return json(stripped, names);
        }
        int line = stripped.indexOf('\n');
        String name = line < 0 ? "" : stripped.substring(0, line).strip();
        if (!names.contains(name)) {
            return List.of();
        }
        return JsonBody.tryRead(stripped.substring(line + 1))
                .filter(JsonNode::isObject)
                .map(arguments -> List.of(new Call(name, JsonBody.line(arguments))))
                .orElse(List.of());
    }

    private static List<Call> tagged(String text, Set<String> names) {
        List<Call> calls = new ArrayList<>();
        String rest = text;
        while (rest.startsWith(QWEN)) {
            int end = rest.indexOf(QWEN_END);
            if (end < 0) {
                return List.of();
            }
            List<Call> one = json(rest.substring(QWEN.length(), end).strip(), names);
            if (one.isEmpty()) {
                return List.of();
            }
            calls.addAll(one);
            rest = rest.substring(end + QWEN_END.length()).strip();
        }
        return rest.isEmpty() ? calls : List.of();
    }

    /// One call, or an array of calls.
    private static List<Call> json(String text, Set<String> names) {
        JsonNode node = JsonBody.tryRead(text).orElse(null);
        if (node == null) {
            return List.of();
        }
        Iterable<JsonNode> given = node.isArray() ? node : List.of(node);
        List<Call> calls = new ArrayList<>();
        for (JsonNode one : given) {
            Optional<Call> call = call(one, names);
            if (call.isEmpty()) {
                return List.of();
            }
            calls.add(call.get());
        }
        return calls;
    }

    private static Optional<Call> call(JsonNode node, Set<String> names) {
        JsonNode name = node.path("name");
        JsonNode arguments = node.has("arguments") ? node.path("arguments") : node.path("parameters");
        boolean isCall = name.isString() && names.contains(name.stringValue()) && arguments.isObject();
        return isCall ? Optional.of(new Call(name.stringValue(), JsonBody.line(arguments))) : Optional.empty();
    }
}
