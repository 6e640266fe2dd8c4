package io.shadowkv.server.request;

import io.shadowkv.server.json.Fields;
import io.shadowkv.text.chat.ChatMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A request to `/v1/chat/completions`.
///
/// @param model the model's name; empty if it is left out
/// @param messages the conversation, at least one message
/// @param templateVariables further variables of the chat template
/// @param generation how the answers are generated
public record ChatRequest(
        Optional<String> model,
        List<ChatMessage> messages,
        Map<String, @Nullable Object> templateVariables,
        GenerationFields generation) {
    /// @throws io.shadowkv.server.error.ApiException if a field is wrong or not supported
    public static ChatRequest read(Fields request, RequestDefaults defaults) {
        NotSupported.checkChat(request);
        return new ChatRequest(
                request.text("model"),
                Messages.read(request),
                templateVariables(request),
                GenerationFields.read(request, defaults));
    }

    /// Variables of the template; `reasoning_effort` is one that some templates know.
    static Map<String, @Nullable Object> templateVariables(Fields request) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        request.text("reasoning_effort").ifPresent(effort -> variables.put("reasoning_effort", effort));
        request.object("chat_template_kwargs").ifPresent(given -> variables.putAll(given.values()));
        // The conversation has its own field.
        variables.keySet().removeAll(List.of("messages", "add_generation_prompt"));
        return variables;
    }
}
