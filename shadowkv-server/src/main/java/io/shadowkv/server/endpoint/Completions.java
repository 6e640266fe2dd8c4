package io.shadowkv.server.endpoint;

import io.shadowkv.server.answer.CompletionFormat;
import io.shadowkv.server.answer.PingedAnswer;
import io.shadowkv.server.answer.TokenTexts;
import io.shadowkv.server.documents.StoredDocument;
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
        List<int[]> prompts = prompts(request);
        CompletionFormat format = new CompletionFormat(
                Generating.newId("cmpl-"),
                model.name(),
                Instant.now().getEpochSecond(),
                echoes(request),
                new TokenTexts(model::tokenText));
        Generating generating = new Generating(serving);
        if (request.scoredTokens() < 0) {
            generating.answer(exchange, prompts, request.generation(), format, null);
            return;
        }
        generating.check(prompts, request.generation());
        exchange.note("scored", prompts.stream().mapToLong(ids -> ids.length).sum());
        int top = request.generation().options().topLogprobs();
        try (Scoring scoring = Scoring.start(model, serving.scoringTurns(), prompts, top, request.scoredTokens())) {
            PingedAnswer.send(
                    serving.sending(exchange), scoring, () -> format.scored(scoring.scored()), serving.pingInterval());
        }
    }

    private List<int[]> prompts(CompletionRequest request) {
        StoredDocument document = request.document()
                .map(id -> serving.documents().get(id, "document"))
                .orElse(null);
        List<int[]> prompts = new ArrayList<>();
        for (Prompt prompt : request.prompts()) {
            String text = prompt.text();
            // What follows a document has no beginning of its own.
            int[] ids =
                    text == null ? prompt.ids() : serving.model().tokenizer().encode(text, document == null);
            prompts.add(document == null ? ids : document.followedBy(ids));
        }
        return prompts;
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
