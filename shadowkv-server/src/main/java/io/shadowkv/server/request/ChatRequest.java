package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
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
/// @param document identifier of the document with which the first user message begins; empty for
///     none
/// @param templateVariables further variables of the chat template
/// @param generation how the answers are generated
public record ChatRequest(
        Optional<String> model,
        List<ChatMessage> messages,
        Optional<String> document,
        Map<String, @Nullable Object> templateVariables,
        GenerationFields generation) {
    private static final int MAX_TOP_LOGPROBS = 20;

    /// @throws io.shadowkv.server.error.ApiException if a field is wrong or not supported
    public static ChatRequest read(Fields request, RequestDefaults defaults) {
        NotSupported.checkChat(request);
        return new ChatRequest(
                request.text("model"),
                Messages.read(request),
                request.text("document"),
                templateVariables(request),
                GenerationFields.read(request, defaults, topLogprobs(request)));
    }

    private static int topLogprobs(Fields request) {
        int top = request.integer("top_logprobs", 0, MAX_TOP_LOGPROBS).orElse(0);
        if (!request.flag("logprobs", false)) {
            if (top > 0) {
                throw ApiException.invalid(
                        "top_logprobs", "top_logprobs is given without logprobs; set logprobs to true");
            }
            return -1;
        }
        return top;
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
