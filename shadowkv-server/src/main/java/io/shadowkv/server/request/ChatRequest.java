package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.structured.ResponseFormat;
import io.shadowkv.server.structured.ToolFields;
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
/// @param format form of the answer's text
/// @param tools functions that the model may or must call
/// @param generation how the answers are generated
public record ChatRequest(
        Optional<String> model,
        List<ChatMessage> messages,
        Optional<String> document,
        Map<String, @Nullable Object> templateVariables,
        ResponseFormat format,
        ToolFields tools,
        GenerationFields generation) {
    private static final int MAX_TOP_LOGPROBS = 20;

    /// @throws io.shadowkv.server.error.ApiException if a field is wrong or not supported
    public static ChatRequest read(Fields request, RequestDefaults defaults) {
        NotSupported.checkChat(request);
        ToolFields tools = ToolFields.read(request);
        Map<String, @Nullable Object> variables = templateVariables(request);
        if (!tools.tools().isEmpty()) {
            variables.put("tools", tools.templateValues());
        }
        ChatRequest read = new ChatRequest(
                request.text("model"),
                Messages.read(request),
                request.text("document"),
                variables,
                ResponseFormat.read(request),
                tools,
                GenerationFields.read(request, defaults, topLogprobs(request)));
        read.checkTogether();
        return read;
    }

    /// Refuses fields that cannot be honoured together.
    private void checkTogether() {
        boolean hasForm = !(format instanceof ResponseFormat.Text);
        if (hasForm && tools.isAuto()) {
            throw ApiException.invalid(
                    "tool_choice",
                    "unsupported_parameter",
                    "response_format with tools is supported only if tool_choice is none or required or names a"
                            + " function; set tool_choice, or leave one of the fields out");
        }
        if (hasForm || tools.isRequired()) {
            refuseWithForm("ignore_eos", generation.options().ignoreEos());
            refuseWithForm("min_tokens", generation.options().minNewTokens() > 0);
        }
    }

    /// JSON ends where it is complete.
    private static void refuseWithForm(String param, boolean isGiven) {
        if (isGiven) {
            throw ApiException.invalid(
                    param,
                    "unsupported_parameter",
                    param + " cannot be combined with JSON that the server enforces (response_format, a required tool"
                            + " call); leave it out");
        }
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
