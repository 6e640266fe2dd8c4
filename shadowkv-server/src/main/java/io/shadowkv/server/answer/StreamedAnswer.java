package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.server.generate.ChoiceEvent;
import io.shadowkv.server.generate.Choices;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Sends an answer as an event stream while it is generated. Used by one thread.
public final class StreamedAnswer {
    /// Progress is sent at most this often.
    private static final long PROGRESS_NANOS = 200_000_000;

    private final Choices choices;
    private final AnswerPlan plan;
    private final EventStream stream;
    private final List<@Nullable Completion> ended;
    private final double[] read;
    private final long start = System.nanoTime();
    private long lastProgress = start;

    private StreamedAnswer(Choices choices, AnswerPlan plan, EventStream stream) {
        this.choices = choices;
        this.plan = plan;
        this.stream = stream;
        this.ended = new ArrayList<>(Collections.nCopies(choices.count(), null));
        this.read = new double[choices.count()];
    }

    /// Sends the whole answer. A failure after the head becomes an error event.
    ///
    /// @return the completions; empty if the answer failed
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    public static List<Completion> send(Sending sending, Choices choices, AnswerPlan plan) throws InterruptedException {
        try (EventStream stream = EventStream.open(sending.exchange())) {
            StreamedAnswer answer = new StreamedAnswer(choices, plan, stream);
            return sending.run(answer::run, stream::error).orElse(List.of());
        }
    }

    private List<Completion> run() throws InterruptedException {
        // A client waits for the head only so long, and the prompt may take longer to read.
        stream.comment("reading");
        for (int choice = 0; choice < choices.count(); choice++) {
            plan.format().firstChunk(choice).ifPresent(stream::data);
        }
        int open = choices.count();
        while (open > 0) {
            ChoiceEvent next = choices.poll(stream.untilPing(plan.pingInterval()));
            if (next == null) {
                stream.comment("ping");
            } else if (next.failure() != null) {
                throw next.failure();
            } else if (handle(next.choice(), Objects.requireNonNull(next.event()))) {
                open--;
            }
        }
        return finish();
    }

    /// @return true if the choice has ended
    private boolean handle(int choice, GenerationEvent event) {
        switch (event) {
            case GenerationEvent.Reading reading -> {
                read[choice] = reading.done();
                progress(reading.done() >= 1);
            }
            case GenerationEvent.Token token -> {
                if (!token.text().isEmpty()
                        || token.logprobs() != null
                        || plan.stream().returnsTokenIds()) {
                    chunks(choice, token).forEach(stream::data);
                }
                if (stream.untilPing(plan.pingInterval()).isZero()) {
                    stream.comment("ping");
                }
            }
            case GenerationEvent.Ended end -> {
                plan.format().restChunks(choice).forEach(stream::data);
                ended.set(choice, end.completion());
                return true;
            }
        }
        return false;
    }

    private List<ObjectNode> chunks(int choice, GenerationEvent.Token token) {
        List<TokenLogprobs> logprobs = token.logprobs() == null ? List.of() : List.of(token.logprobs());
        List<ObjectNode> chunks = plan.format().chunks(choice, token.text(), logprobs);
        if (!plan.stream().returnsTokenIds()) {
            return chunks;
        }
        // A format that holds text back, such as that of tool calls, has no chunk for some tokens.
        List<ObjectNode> some = chunks.isEmpty() ? List.of(plan.format().textChunk(choice, "", List.of())) : chunks;
        ((ObjectNode) some.getLast().path("choices").get(0))
                .putArray("token_ids")
                .add(token.id());
        return some;
    }

    private void progress(boolean isLast) {
        long now = System.nanoTime();
        boolean isDue = isLast || now - lastProgress >= PROGRESS_NANOS;
        if (!isDue) {
            return;
        }
        lastProgress = now;
        if (plan.stream().returnsProgress()) {
            stream.data(progressChunk(now));
        } else if (stream.untilPing(plan.pingInterval()).isZero()) {
            stream.comment("reading");
        }
    }

    /// Progress under llama.cpp's names. The engine reports shares of the work; `processed` takes
    /// them for shares of the tokens.
    private ObjectNode progressChunk(long now) {
        double share = 0;
        for (double one : read) {
            share += one / read.length;
        }
        ObjectNode chunk = plan.format().textChunk(0, "", List.of());
        ObjectNode progress = chunk.putObject("prompt_progress");
        progress.put("total", plan.promptTokens());
        progress.put("cache", 0);
        progress.put("processed", Math.round(share * plan.promptTokens()));
        progress.put("time_ms", Duration.ofNanos(now - start).toMillis());
        return chunk;
    }

    /// Ends all choices together, because clients close an answer after the first end they see.
    private List<Completion> finish() {
        List<Completion> completions = new ArrayList<>();
        ended.forEach(completion -> completions.add(Objects.requireNonNull(completion)));
        List<String> reasons = completions.stream().map(FinishReasons::of).toList();
        for (int choice = 0; choice < reasons.size(); choice++) {
            stream.data(plan.format().lastChunk(choice, reasons.get(choice)));
        }
        if (plan.stream().includesUsage()) {
            ObjectNode chunk = plan.format().emptyChunk();
            chunk.set("usage", Usage.of(completions, plan).json());
            stream.data(chunk);
        }
        stream.done();
        return completions;
    }
}
