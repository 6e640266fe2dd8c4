package io.shadowkv.server.endpoint;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.TokenConstraint;
import io.shadowkv.server.answer.AnswerFormat;
import io.shadowkv.server.answer.AnswerPlan;
import io.shadowkv.server.answer.StreamedAnswer;
import io.shadowkv.server.answer.WholeAnswer;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.generate.Choices;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.model.PooledEngine;
import io.shadowkv.server.model.ServedModel;
import io.shadowkv.server.request.GenerationFields;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Runs the generations of one request and sends the answer, streamed or whole.
final class Generating {
    private static final double MILLIS = 1e6;

    private final Serving serving;

    Generating(Serving serving) {
        this.serving = serving;
    }

    /// A new identifier of an answer.
    static String newId(String prefix) {
        return prefix + UUID.randomUUID().toString().replace("-", "");
    }

    /// @param prompts token ids, prompt by prompt
    /// @param constraint makes a constraint for each answer; null for none
    void answer(
            Exchange exchange,
            List<int[]> prompts,
            GenerationFields fields,
            AnswerFormat format,
            @Nullable Supplier<TokenConstraint> constraint)
            throws InterruptedException {
        List<Request> requests = requests(prompts, fields).stream()
                .map(request -> request.withConstraint(constraint))
                .toList();
        long promptTokens = prompts.stream().mapToLong(ids -> ids.length).sum();
        AnswerPlan plan =
                new AnswerPlan(format, fields.stream(), fields.choices(), promptTokens, serving.pingInterval());
        exchange.note("prompt", promptTokens);
        PooledEngine engine =
                serving.model().engines().choose(requests.getFirst().promptIds());
        try (Choices choices = Choices.submit(engine.engine(), requests, serving.metrics(), serving.slots())) {
            List<Completion> completions = fields.stream().streams()
                    ? StreamedAnswer.send(serving.sending(exchange), choices, plan)
                    : WholeAnswer.send(serving.sending(exchange), choices, plan);
            completions.forEach(completion -> note(exchange, completion));
        }
    }

    private List<Request> requests(List<int[]> prompts, GenerationFields fields) {
        int context = serving.model().engine().contextTokens();
        Duration limit = serving.requestTime();
        check(prompts, fields);
        List<Request> requests = new ArrayList<>();
        for (int[] ids : prompts) {
            for (int choice = 0; choice < fields.choices(); choice++) {
                requests.add(Request.of(ids, fields.options(ids.length, context, choice))
                        .withTimeout(limit.isZero() ? null : limit));
            }
        }
        return requests;
    }

    /// @throws ApiException if a prompt has no tokens, or an id is not in the vocabulary
    void check(List<int[]> prompts, GenerationFields fields) {
        GenerationOptions options = fields.options();
        ServedModel model = serving.model();
        model.checkIds(
                "logit_bias", "logit_bias", ints(options.sampling().logitBias().keySet()));
        model.checkIds("stop_token_ids", "stop_token_ids", ints(options.stopIds()));
        for (int[] ids : prompts) {
            if (ids.length == 0) {
                throw ApiException.invalid("prompt", "the prompt has no tokens; give at least one character or id");
            }
            model.checkIds("prompt", "the prompt", IntStream.of(ids));
        }
    }

    private static IntStream ints(Collection<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue);
    }

    private static void note(Exchange exchange, Completion completion) {
        exchange.note("cached", completion.cachedTokens());
        exchange.note("generated", completion.ids().length);
        exchange.note("finish", completion.finish());
        exchange.note("queue_ms", Math.round(completion.timings().queuedNanos() / MILLIS));
        exchange.note("first_token_ms", Math.round(completion.timings().firstTokenNanos() / MILLIS));
    }
}
