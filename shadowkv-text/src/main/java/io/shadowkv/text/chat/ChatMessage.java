package io.shadowkv.text.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One message of a conversation for chat templates: fields in the order in which they were given.
/// A field that is not given is undefined in a template, which is not the same as null.
///
/// @param fields `role` (`system`, `user`, `assistant`, `tool`, or another one that the template
///     supports), usually `content` (the text, or a list of content parts, which are maps), and
///     optional others (`tool_calls`, `name` …): strings, numbers, booleans, nulls, lists and maps
///     with string keys
public record ChatMessage(Map<String, @Nullable Object> fields) {
    /// Copies the fields, keeping their order.
    ///
    /// @throws IllegalArgumentException if there is no text field `role`
    public ChatMessage {
        if (!(fields.get("role") instanceof String)) {
            throw new IllegalArgumentException(
                    "message has the fields " + fields.keySet() + "; it needs a text field \"role\"");
        }
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /// Creates a message with text only.
    public ChatMessage(String role, String content) {
        this(role, content, Map.of());
    }

    /// Creates a message with a role, a content and further fields.
    ///
    /// @param content the text, a list of content parts (maps), or null
    /// @throws IllegalArgumentException if a further field is named role or content
    public ChatMessage(String role, @Nullable Object content, Map<String, ? extends @Nullable Object> further) {
        this(joined(role, content, further));
    }

    private static Map<String, @Nullable Object> joined(
            String role, @Nullable Object content, Map<String, ? extends @Nullable Object> further) {
        if (further.containsKey("role") || further.containsKey("content")) {
            throw new IllegalArgumentException("further fields of a message are " + further.keySet()
                    + "; role and content have their own parameters");
        }
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("role", role);
        fields.put("content", content);
        fields.putAll(further);
        return fields;
    }

    /// Creates a message from a parsed JSON object; fields that the object does not have are not
    /// given.
    ///
    /// @throws IllegalArgumentException if there is no text field `role`
    public static ChatMessage of(Map<String, ? extends @Nullable Object> object) {
        return new ChatMessage(new LinkedHashMap<>(object));
    }

    public String role() {
        return String.valueOf(fields.get("role"));
    }

    /// The content, or null if it is null or not given.
    public @Nullable Object content() {
        return fields.get("content");
    }
}
