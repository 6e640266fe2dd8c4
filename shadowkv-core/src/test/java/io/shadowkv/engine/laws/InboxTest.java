package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import io.shadowkv.op.reference.ReferenceBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What callers do to the inbox of an engine, in every order and at the same time: every request that was taken ends
/// once, with its answer or a reason, and nothing is left. The engine's thread is held inside an operation while the
/// callers act, so that each order is a schedule that repeats.
class InboxTest extends BackendLaws {
    private static final int[] PROMPT = Logits.ids(20, 64, 7);

    private static final GenerationOptions SIX =
            GenerationOptions.DEFAULT.withMaxNewTokens(6).withIgnoreEos(true);

    InboxTest() {
        super(BackendUnderTest.exact(ReferenceBackend::new));
    }

    private enum Action {
        SUBMIT,
        CANCEL,
        DRAIN,
        CLOSE
    }

    /// Where the engine's thread is while the callers act.
    enum Position {
        READING("prefill"),
        DECODING("decode");

        private final String operation;

        Position(String operation) {
            this.operation = operation;
        }
    }

    private static List<List<Action>> orders(List<Action> actions) {
        if (actions.isEmpty()) {
            return List.of(List.of());
        }
        List<List<Action>> orders = new ArrayList<>();
        for (Action first : actions) {
            List<Action> others =
                    actions.stream().filter(action -> action != first).toList();
            orders(others)
                    .forEach(rest -> orders.add(
                            Stream.concat(Stream.of(first), rest.stream()).toList()));
        }
        return orders;
    }

    private static List<List<Action>> orders(Position position) {
        return Stream.of(
                        List.of(Action.SUBMIT, Action.CANCEL),
                        List.of(Action.SUBMIT, Action.CANCEL, Action.DRAIN),
                        List.of(Action.SUBMIT, Action.CANCEL, Action.CLOSE),
                        // Whether the first request has a token makes no difference to the four together.
                        position == Position.READING ? List.of(Action.values()) : List.<Action>of())
                .flatMap(actions -> orders(actions).stream())
                .filter(order -> !order.isEmpty())
                .toList();
    }

    @ParameterizedTest
    @EnumSource(Position.class)
    void everyOrderEndsEveryRequestOnce(Position position) throws Exception {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        int[] alone;
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT)) {
            alone = engine.complete(Request.of(PROMPT, SIX)).ids();
        }
        for (List<Action> order : orders(position)) {
            run(folder, position, order, alone);
            assertThat(backend().purposes()).as(order.toString()).isEmpty();
        }
    }

    private void run(Path folder, Position position, List<Action> order, int[] alone) throws Exception {
        WatchedBackend watched = new WatchedBackend(backend());
        try (Engine engine = Engine.open(folder, watched, EngineOptions.DEFAULT);
                ExecutorService callers = Executors.newCachedThreadPool()) {
            WatchedBackend.Hold hold = watched.hold(position.operation);
            Generation first = engine.submit(Request.of(PROMPT, SIX));
            hold.awaitReached();
            Generation second = null;
            List<Future<?>> waiting = new ArrayList<>();
            boolean refuses = false;
            for (Action action : order) {
                switch (action) {
                    case SUBMIT -> second = submit(engine, refuses);
                    case CANCEL -> first.cancel();
                    case DRAIN -> waiting.add(start(callers, () -> engine.drain(Duration.ofMinutes(1))));
                    case CLOSE -> waiting.add(start(callers, () -> close(engine)));
                }
                refuses |= action == Action.DRAIN;
            }
            hold.release();
            boolean closes = order.contains(Action.CLOSE);
            String what = position + ", " + order;
            FinishReason ended = ended(what, first, closes);
            if (ended != null || !closes) {
                assertThat(ended).as(what).isEqualTo(FinishReason.CANCELLED);
            }
            if (second != null && (ended(what, second, closes) != null || !closes)) {
                assertThat(second.join().ids()).as(what).isEqualTo(alone);
            }
            for (Future<?> call : waiting) {
                assertThat(call.get()).as(what).isEqualTo(true);
            }
            assertThat(engine.waitingRequests() + engine.runningRequests())
                    .as(what)
                    .isZero();
        }
    }

    private static boolean close(Engine engine) {
        engine.close();
        return true;
    }

    private static @Nullable Generation submit(Engine engine, boolean refuses) {
        try {
            Generation taken = engine.submit(Request.of(PROMPT, SIX));
            assertThat(refuses).as("a drained engine takes a request").isFalse();
            return taken;
        } catch (EngineUnavailableException e) {
            assertThat(refuses).as("an engine that runs refuses a request").isTrue();
            return null;
        }
    }

    /// Starts a call that waits for the engine, and returns once it waits.
    private static <T> Future<T> start(ExecutorService callers, Callable<T> call) {
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        Future<T> result = callers.submit(() -> {
            thread.complete(Thread.currentThread());
            return call.call();
        });
        Set<Thread.State> waits = EnumSet.of(Thread.State.WAITING, Thread.State.TIMED_WAITING);
        while (!waits.contains(thread.join().getState())) {
            Thread.onSpinWait();
        }
        return result;
    }

    /// Waits for the end through the completion and through the events, which must agree.
    ///
    /// @param closes true if the engine is closed, which may end the request with a reason
    /// @return how it ended; null if the engine ended it
    private static @Nullable FinishReason ended(String what, Generation generation, boolean closes) {
        FinishReason byEvents = null;
        try {
            for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
                if (events.next() instanceof GenerationEvent.Ended end) {
                    assertThat(byEvents).as(what + ": ended twice").isNull();
                    byEvents = end.completion().finish();
                }
            }
        } catch (EngineUnavailableException e) {
            assertThat(closes).as(what + ": " + e).isTrue();
        }
        try {
            Completion completion = generation.join();
            assertThat(completion.finish()).as(what).isEqualTo(byEvents);
        } catch (EngineUnavailableException e) {
            assertThat(closes).as(what + ": " + e).isTrue();
            assertThat(byEvents).as(what).isNull();
        }
        return byEvents;
    }

    /// Callers that really run at the same time.
    @Test
    void racingCallersEndEveryRequestOnce() throws Exception {
        Path folder = checkpoint(RandomCheckpoint.SMALL);
        for (int round = 0; round < 30; round++) {
            boolean drains = round % 3 == 0;
            Queue<Generation> taken = new ConcurrentLinkedQueue<>();
            try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT);
                    ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
                CyclicBarrier together = new CyclicBarrier(5);
                List<Future<?>> calls = new ArrayList<>();
                for (int submitter = 0; submitter < 3; submitter++) {
                    boolean cancels = submitter == 0;
                    calls.add(callers.submit(() -> {
                        together.await();
                        for (int i = 0; i < 3; i++) {
                            Generation generation = engine.submit(Request.of(PROMPT, SIX));
                            taken.add(generation);
                            if (cancels) {
                                generation.cancel();
                            }
                        }
                        return true;
                    }));
                }
                calls.add(callers.submit(() -> {
                    together.await();
                    taken.forEach(Generation::cancel);
                    return true;
                }));
                calls.add(callers.submit(() -> {
                    together.await();
                    if (drains) {
                        assertThat(engine.drain(Duration.ofMinutes(1))).isTrue();
                    } else {
                        close(engine);
                    }
                    return true;
                }));
                for (Future<?> call : calls) {
                    try {
                        call.get();
                    } catch (ExecutionException e) {
                        assertThat(e.getCause()).isInstanceOf(EngineUnavailableException.class);
                    }
                }
                String what = "round " + round;
                for (Generation generation : taken) {
                    FinishReason ended = ended(what, generation, !drains);
                    if (drains) {
                        assertThat(ended).as(what).isIn(FinishReason.CANCELLED, FinishReason.MAX_NEW_TOKENS);
                    }
                }
                assertThat(engine.waitingRequests() + engine.runningRequests())
                        .as(what)
                        .isZero();
            }
            assertThat(backend().purposes()).isEmpty();
        }
    }
}
