package io.shadowkv.server.endpoint;

import io.shadowkv.server.answer.CompletionFormat;
import io.shadowkv.server.answer.TokenTexts;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.CompletionRequest;
import io.shadowkv.server.request.CompletionRequest.Prompt;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// `POST /v1/completions`: continues prompts.
public record Completions(Serving serving) implements Endpoint {
    @Override
    public void answer(Exchange exchange) throws InterruptedException {
        CompletionRequest request = CompletionRequest.read(serving.body(exchange), serving.defaults());
        ServedModel model = serving.model();
        model.checkName(request.model().orElse(null));
        List<int[]> prompts = new ArrayList<>();
        for (Prompt prompt : request.prompts()) {
            String text = prompt.text();
            prompts.add(text == null ? prompt.ids() : model.tokenizer().encode(text, true));
        }
        CompletionFormat format = new CompletionFormat(
                Generating.newId("cmpl-"),
                model.name(),
                Instant.now().getEpochSecond(),
                echoes(request),
                new TokenTexts(model::tokenText));
        new Generating(serving).answer(exchange, prompts, request.generation(), format, null);
    }

    private List<String> echoes(CompletionRequest request) {
        List<String> echoes = new ArrayList<>();
        if (request.echoes()) {
            for (Prompt prompt : request.prompts()) {
                String text = prompt.text();
                String echo = text == null ? serving.model().tokenizer().decode(prompt.ids(), false) : text;
                echoes.addAll(Collections.nCopies(request.generation().choices(), echo));
            }
        }
        return echoes;
    }
}
