package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads the messages of a chat for a chat template.
final class Messages {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");

    private Messages() {}

    /// @throws ApiException if there is no message, or one of them is malformed
    static List<ChatMessage> read(Fields request) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode node : request.array("messages")) {
            String name = "messages[" + messages.size() + "]";
            if (!(node instanceof ObjectNode object)) {
                throw request.wrong(name, node, "an object with role and content");
            }
            messages.add(message(new Fields(object, request.path(name))));
        }
        if (messages.isEmpty()) {
            throw ApiException.invalid("messages", "messages is empty or absent; give at least one message");
        }
        return messages;
    }

    private static ChatMessage message(Fields fields) {
        String role = fields.text("role").orElse("");
        if (!ROLES.contains(role)) {
            throw ApiException.invalid(
                    fields.path("role"),
                    fields.path("role") + " is \"" + (role.length() > 40 ? role.substring(0, 40) + "…" : role)
                            + "\"; expected system, developer, user, assistant or tool");
        }
        Map<String, @Nullable Object> further = new LinkedHashMap<>();
        fields.text("name").ifPresent(name -> further.put("name", name));
        fields.text("tool_call_id").ifPresent(id -> further.put("tool_call_id", id));
        fields.text("reasoning_content").ifPresent(text -> further.put("reasoning_content", text));
        List<@Nullable Object> calls = toolCalls(fields);
        if (!calls.isEmpty()) {
            further.put("tool_calls", calls);
        }
        String content = content(fields);
        if (content == null && calls.isEmpty()) {
            throw ApiException.invalid(
                    fields.path("content"), fields.path("content") + " is absent; give a string or content parts");
        }
        // Templates know the older name of this role.
        return new ChatMessage(role.equals("developer") ? "system" : role, content, further);
    }

    private static @Nullable String content(Fields fields) {
        JsonNode content = fields.node("content").orElse(null);
        if (content == null) {
            return null;
        }
        if (content.isString()) {
            return content.stringValue();
        }
        if (!content.isArray()) {
            throw fields.wrong("content", content, "a string or an array of content parts");
        }
        StringJoiner text = new StringJoiner("\n");
        int index = 0;
        for (JsonNode part : content) {
            String name = "content[" + index++ + "]";
            if (!(part instanceof ObjectNode object)) {
                throw fields.wrong(name, part, "an object with type and text");
            }
            text.add(text(new Fields(object, fields.path(name))));
        }
        return text.toString();
    }

    private static String text(Fields part) {
        String type = part.text("type").orElse("");
        if (!type.equals("text")) {
            throw ApiException.invalid(
                    part.path("type"),
                    "unsupported_content",
                    part.path("type") + " is \"" + (type.length() > 40 ? type.substring(0, 40) + "…" : type)
                            + "\"; the model reads only parts of type \"text\"");
        }
        return part.text("text")
                .orElseThrow(() -> ApiException.invalid(part.path("text"), part.path("text") + " is absent"));
    }

    /// Earlier calls of tools. Templates expect arguments as an object, which clients send as text.
    private static List<@Nullable Object> toolCalls(Fields fields) {
        List<@Nullable Object> calls = new ArrayList<>();
        for (JsonNode node : fields.array("tool_calls")) {
            String name = "tool_calls[" + calls.size() + "]";
            if (!(node instanceof ObjectNode call) || !(call.get("function") instanceof ObjectNode function)) {
                throw fields.wrong(name, node, "an object with id, type and function");
            }
            ObjectNode copy = call.deepCopy();
            JsonNode arguments = function.path("arguments");
            if (arguments.isString()) {
                copy.putObject("function")
                        .setAll(function)
                        .set("arguments", parsed(arguments.stringValue(), fields.path(name)));
            }
            calls.add(Fields.value(copy));
        }
        return calls;
    }

    private static JsonNode parsed(String arguments, String path) {
        try {
            return JsonBody.parse(arguments.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        } catch (ApiException e) {
            throw ApiException.invalid(
                    path + ".function.arguments", path + ".function.arguments is not the text of a JSON object");
        }
    }
}
