package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.error.ErrorBody;
import io.shadowkv.server.generate.ChoiceEvent;
import io.shadowkv.server.generate.Choices;
import io.shadowkv.server.http.Exchange;
import io.shadowkv.server.http.Outgoing;
import io.shadowkv.server.json.JsonBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Sends an answer as one JSON object. Used by one thread.
///
/// If the answer takes longer than the ping interval, the status 200 is sent before it, and a blank
/// at each further interval: clients give up if no head arrives, and a failed write tells that the
/// client has gone. An error after that is a JSON error body under the status 200.
public final class WholeAnswer {
    private static final Map<String, String> HEADERS = Map.of("Content-Type", "application/json");
    private static final byte[] BLANK = {' '};

    private final Exchange exchange;
    private final Choices choices;
    private final AnswerPlan plan;
    private @Nullable Outgoing out;

    private WholeAnswer(Exchange exchange, Choices choices, AnswerPlan plan) {
        this.exchange = exchange;
        this.choices = choices;
        this.plan = plan;
    }

    /// Sends the whole answer.
    ///
    /// @return the completions; empty if the answer failed after its head was sent
    /// @throws RuntimeException what made the answer fail before its head was sent
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    public static List<Completion> send(Sending sending, Choices choices, AnswerPlan plan) throws InterruptedException {
        WholeAnswer answer = new WholeAnswer(sending.exchange(), choices, plan);
        try {
            return sending.run(answer::run, answer::tell).orElse(List.of());
        } finally {
            if (answer.out != null) {
                answer.out.close();
            }
        }
    }

    private void tell(ApiException error) {
        Objects.requireNonNull(out, "the head was sent with the body open").send(JsonBody.bytes(ErrorBody.of(error)));
    }

    private List<Completion> run() throws InterruptedException {
        List<Completion> completions = await();
        byte[] body = JsonBody.bytes(plan.format().whole(completions, Usage.of(completions, plan)));
        if (out == null) {
            exchange.respond(200, HEADERS, body);
        } else {
            out.send(body);
        }
        return completions;
    }

    private List<Completion> await() throws InterruptedException {
        List<@Nullable Completion> ended = new ArrayList<>(Collections.nCopies(choices.count(), null));
        int open = choices.count();
        long lastWrite = System.nanoTime();
        while (open > 0) {
            long left = plan.pingInterval().toNanos() - (System.nanoTime() - lastWrite);
            ChoiceEvent next = choices.poll(Duration.ofNanos(Math.max(0, left)));
            if (next != null && next.failure() != null) {
                throw next.failure();
            }
            if (next != null && next.event() instanceof GenerationEvent.Ended end) {
                ended.set(next.choice(), end.completion());
                open--;
            }
            if (open > 0 && System.nanoTime() - lastWrite >= plan.pingInterval().toNanos()) {
                ping();
                lastWrite = System.nanoTime();
            }
        }
        List<Completion> completions = new ArrayList<>();
        ended.forEach(completion -> completions.add(Objects.requireNonNull(completion)));
        return completions;
    }

    private void ping() {
        Outgoing opened = out;
        if (opened == null) {
            opened = exchange.open(200, HEADERS);
            out = opened;
        }
        opened.send(BLANK);
    }
}
