package io.shadowkv.server.endpoint;

import io.shadowkv.server.answer.ChatFormat;
import io.shadowkv.server.answer.TokenTexts;
import io.shadowkv.server.documents.StoredDocument;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.ChatRequest;
import java.time.Instant;
import java.util.List;

/// `POST /v1/chat/completions`: answers a conversation.
public record ChatCompletions(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) throws InterruptedException {
        ChatRequest request = ChatRequest.read(serving.body(exchange), serving.defaults());
        ServedModel model = serving.model();
        model.checkName(request.model().orElse(null));
        int[] ids = prompt(request);
        ChatFormat format = new ChatFormat(
                Generating.newId("chatcmpl-"),
                model.name(),
                Instant.now().getEpochSecond(),
                new TokenTexts(model::tokenText));
        new Generating(serving).answer(exchange, List.of(ids), request.generation(), format);
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
