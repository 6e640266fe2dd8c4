package io.shadowkv.text.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One message of a conversation, as chat templates see it.
///
/// @param role `system`, `user`, `assistant`, `tool`, or what else the template knows
/// @param content the text, a list of content parts (maps), or null (an assistant's message of tool calls only)
/// @param fields further fields by name (`tool_calls`, `name`, `metadata` …): strings, numbers, booleans,
///     nulls, lists and maps with string keys
public record ChatMessage(String role, @Nullable Object content, Map<String, @Nullable Object> fields) {
    /// Copies the further fields, keeping their order, and refuses one that would hide role or content.
    public ChatMessage {
        if (fields.containsKey("role") || fields.containsKey("content")) {
            throw new IllegalArgumentException(
                    "further fields of a message are " + fields.keySet() + "; role and content are given on their own");
        }
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /// A message of text alone.
    public ChatMessage(String role, String content) {
        this(role, content, Map.of());
    }

    /// A message from a parsed JSON object; the absent content of a message becomes null.
    ///
    /// @throws IllegalArgumentException if there is no text field `role`
    public static ChatMessage of(Map<String, ? extends @Nullable Object> object) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>(object);
        Object content = fields.remove("content");
        if (fields.remove("role") instanceof String role) {
            return new ChatMessage(role, content, fields);
        }
        throw new IllegalArgumentException(
                "message has the fields " + object.keySet() + "; it needs a text field \"role\"");
    }

    /// The message as the map a template reads: role, content, then the further fields.
    Map<String, @Nullable Object> variables() {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        variables.put("role", role);
        variables.put("content", content);
        variables.putAll(fields);
        return variables;
    }
}
