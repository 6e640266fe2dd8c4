package io.shadowkv.server.endpoint;

import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.server.answer.AnswerFormat;
import io.shadowkv.server.answer.ChatFormat;
import io.shadowkv.server.answer.TokenTexts;
import io.shadowkv.server.answer.ToolChatFormat;
import io.shadowkv.server.documents.StoredDocument;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.ChatRequest;
import io.shadowkv.server.structured.CallReader;
import io.shadowkv.server.structured.ResponseFormat;
import io.shadowkv.server.structured.Thinking;
import io.shadowkv.server.structured.ToolFields;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/// `POST /v1/chat/completions`: answers a conversation.
public record ChatCompletions(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) throws InterruptedException {
        ChatRequest request = ChatRequest.read(serving.body(exchange), serving.defaults());
        ServedModel model = serving.model();
        model.checkName(request.model().orElse(null));
        int[] ids = prompt(request);
        ToolFields tools = request.tools();
        checkTemplate(tools);
        ChatFormat texts = new ChatFormat(
                Generating.newId("chatcmpl-"),
                model.name(),
                Instant.now().getEpochSecond(),
                new TokenTexts(model::tokenText));
        // A constraint leaves no room for thoughts.
        boolean isFree = !tools.isRequired() && request.format() instanceof ResponseFormat.Text;
        Thinking thinking = isFree ? model.thinking(request.templateVariables()) : Thinking.NONE;
        AnswerFormat format = tools.tools().isEmpty() && thinking == Thinking.NONE
                ? texts
                : new ToolChatFormat(texts, () -> CallReader.of(tools, thinking), thinking);
        Supplier<TokenConstraint> constraint = tools.isRequired()
                ? serving.structured().callConstraint(tools.tools())
                : serving.structured().constraint(request.format());
        new Generating(serving).answer(exchange, List.of(ids), request.generation(), format, constraint);
    }

    /// @throws ApiException if the model would have to choose a tool that it does not see
    private void checkTemplate(ToolFields tools) {
        if (tools.isAuto() && !serving.model().showsTools(tools.templateValues())) {
            throw ApiException.invalid(
                    "tools",
                    "unsupported_parameter",
                    "the model's chat template does not show tools to the model, so it cannot choose one. Set"
                            + " tool_choice to required, none or a function");
        }
    }

    private int[] prompt(ChatRequest request) {
        ServedModel model = serving.model();
        if (request.document().isEmpty()) {
            return model.encodeChat(request.messages(), request.templateVariables());
        }
        StoredDocument document = serving.documents().get(request.document().get(), "document");
        int[] ids = model.encodeChat(document.before(request.messages()), request.templateVariables());
        document.checkBegins(ids);
        return ids;
    }
}
