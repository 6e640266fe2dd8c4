package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.server.generate.ChoiceEvent;
import io.shadowkv.server.generate.Choices;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Sends an answer as one JSON object, as [PingedAnswer] does. Used by one thread.
public final class WholeAnswer implements PingedAnswer.Waited {
    private final Choices choices;
    private final List<@Nullable Completion> ended;
    private int open;

    private WholeAnswer(Choices choices) {
        this.choices = choices;
        this.ended = new ArrayList<>(Collections.nCopies(choices.count(), null));
        this.open = choices.count();
    }

    /// Sends the whole answer.
    ///
    /// @return the completions; empty if the answer failed after its head was sent
    /// @throws RuntimeException what made the answer fail before its head was sent
    /// @throws io.shadowkv.server.http.ClientGoneException if the client has closed the connection
    /// @throws InterruptedException if the server stops
    public static List<Completion> send(Sending sending, Choices choices, AnswerPlan plan) throws InterruptedException {
        WholeAnswer answer = new WholeAnswer(choices);
        boolean isWhole = PingedAnswer.send(
                sending,
                answer,
                () -> plan.format().whole(answer.completions(), Usage.of(answer.completions(), plan)),
                plan.pingInterval());
        return isWhole ? answer.completions() : List.of();
    }

    @Override
    public boolean await(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (open > 0) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            ChoiceEvent next = choices.poll(Duration.ofNanos(left));
            if (next != null && next.failure() != null) {
                throw next.failure();
            }
            if (next != null && next.event() instanceof GenerationEvent.Ended last) {
                ended.set(next.choice(), last.completion());
                open--;
            }
        }
        return true;
    }

    /// The completions in the order of the choices, after [#await] has returned true.
    private List<Completion> completions() {
        List<Completion> completions = new ArrayList<>();
        ended.forEach(completion -> completions.add(Objects.requireNonNull(completion)));
        return completions;
    }
}
