package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.text.chat.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A request to `/tokenize`: a text (`prompt` as vLLM names it, `content` as llama.cpp does) or
/// messages.
///
/// @param model the model's name; empty if it is left out
/// @param text the text; empty if messages are given
/// @param messages a conversation; empty if a text is given
/// @param templateVariables further variables of the chat template
/// @param addsSpecialTokens true if the model's beginning is put in front of a text
public record TokenizeRequest(
        Optional<String> model,
        Optional<String> text,
        List<ChatMessage> messages,
        Map<String, @Nullable Object> templateVariables,
        boolean addsSpecialTokens) {
    /// @throws ApiException if a field is wrong
    public static TokenizeRequest read(Fields request) {
        Optional<String> text = request.text("prompt").or(() -> request.text("content"));
        if (text.isPresent() && request.has("messages")) {
            throw ApiException.invalid("messages", "prompt and messages are given together; leave one of them out");
        }
        if (text.isEmpty() && !request.has("messages")) {
            throw ApiException.invalid("prompt", "prompt and messages are absent; give one of them");
        }
        boolean adds = request.flag("add_special_tokens", request.flag("add_special", true));
        return new TokenizeRequest(
                request.text("model"),
                text,
                text.isPresent() ? List.of() : Messages.read(request),
                ChatRequest.templateVariables(request),
                adds);
    }
}
