package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.QueueFullException;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of an engine that many threads share: nobody disturbs anybody, and everything that ends gives back what it
/// held.
public abstract class ServingLaws extends EngineLaws {
    protected ServingLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// Too many requests are refused at once, with the number; those that were taken are answered.
    @Test
    void theWaitingLineIsBounded() {
        try (Engine engine = open(EngineOptions.DEFAULT.withMaxBatch(1).withMaxWaiting(2))) {
            Generation running = engine.submit(Request.of(PROMPT, LONG));
            Iterator<GenerationEvent> events = running.events();
            while (!(events.next() instanceof GenerationEvent.Token)) {}
            List<Generation> waiting = new ArrayList<>();
            waiting.add(engine.submit(Request.of(PROMPT, TEN)));
            waiting.add(engine.submit(Request.of(PROMPT, TEN)));
            assertThatExceptionOfType(QueueFullException.class)
                    .isThrownBy(() -> engine.submit(Request.of(PROMPT, TEN)))
                    .withMessageStartingWith("2 requests wait for their turn");
            assertThat(engine.waitingRequests()).isEqualTo(2);
            assertThat(engine.runningRequests()).isEqualTo(1);
            running.cancel();
            assertThat(running.join().finish()).isEqualTo(FinishReason.CANCELLED);
            waiting.forEach(generation -> assertThat(generation.join().ids()).hasSize(10));
        }
    }

    /// A timeout ends a request with what it has, a waiting one with nothing.
    @Test
    void aTimeoutEndsTheRequest() {
        try (Engine engine = open(EngineOptions.DEFAULT.withMaxBatch(1))) {
            Generation running = engine.submit(Request.of(PROMPT, LONG));
            Completion late = engine.submit(Request.of(PROMPT, TEN).withTimeout(Duration.ofMillis(30)))
                    .join();
            assertThat(late.finish()).isEqualTo(FinishReason.TIMEOUT);
            assertThat(late.ids()).isEmpty();
            running.cancel();
            running.join();
            assertNoSequences();
        }
    }

    /// `close` ends every handle with a reason, whether it runs or waits; the engine's thread ends.
    @Test
    void closingEndsEveryRequestWithAReason() throws InterruptedException {
        // A thread belongs to the group of the one that made it: these are the threads of this engine.
        var threads = new ThreadGroup("engine");
        AtomicReference<Engine> opened = new AtomicReference<>();
        Thread.ofPlatform()
                .group(threads)
                .start(() -> opened.set(open(EngineOptions.DEFAULT.withMaxBatch(1))))
                .join();
        Engine engine = opened.get();
        assertThat(names(threads)).contains("shadowkv-engine");
        List<Generation> open = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            open.add(engine.submit(Request.of(PROMPT, LONG)));
        }
        engine.close();
        for (Generation generation : open) {
            assertThatExceptionOfType(EngineUnavailableException.class)
                    .isThrownBy(generation::join)
                    .withMessage("the engine is closed");
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> engine.submit(Request.of(PROMPT, TEN)))
                .withMessage("the engine is closed");
        backend().assertNothingHeld();
        assertThat(names(threads)).doesNotContain("shadowkv-engine");
    }

    private static List<String> names(ThreadGroup group) {
        Thread[] threads = new Thread[group.activeCount() + 8];
        int count = group.enumerate(threads);
        return Stream.of(threads).limit(count).map(Thread::getName).toList();
    }

    /// A drain refuses what comes and waits for what runs.
    @Test
    void aDrainFinishesWhatRuns() throws InterruptedException {
        try (Engine engine = open(EngineOptions.DEFAULT)) {
            Generation running = engine.submit(Request.of(PROMPT, TEN));
            Generation endless = engine.submit(Request.of(PROMPT, LONG));
            assertThat(engine.drain(Duration.ofMillis(1))).isFalse();
            assertThatExceptionOfType(EngineUnavailableException.class)
                    .isThrownBy(() -> engine.submit(Request.of(PROMPT, TEN)))
                    .withMessageContaining("being drained");
            endless.cancel();
            assertThat(engine.drain(Duration.ofMinutes(1))).isTrue();
            assertThat(running.join().ids()).hasSize(10);
        }
    }

    /// Interrupting a thread that waits cancels its request and no other.
    @Test
    void anInterruptCancelsTheOwnRequest() throws InterruptedException {
        try (Engine engine = open(EngineOptions.DEFAULT)) {
            Generation other = engine.submit(Request.of(PROMPT, TEN));
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread caller = Thread.ofPlatform().start(() -> {
                try {
                    engine.complete(Request.of(PROMPT, LONG));
                } catch (RuntimeException e) {
                    thrown.set(Thread.currentThread().isInterrupted() ? e : new AssertionError(e));
                }
            });
            while (engine.runningRequests() == 0) {
                Thread.onSpinWait();
            }
            caller.interrupt();
            caller.join();
            assertThat(thrown.get()).isInstanceOf(CancellationException.class);
            assertThat(other.join().ids()).hasSize(10);
            assertNoSequences();
        }
    }

    /// Memory that the plan promised and the backend refuses ends only the request that needed it.
    @ParameterizedTest
    @MethodSource("strategies")
    void aMemoryShortageEndsOneRequest(KvCacheSpec spec) {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec))) {
            int[] alone = engine.complete(Request.of(PROMPT, TEN)).ids();
            for (int more = 0; more < 12; more++) {
                Generation running = engine.submit(Request.of(PROMPT, TEN.withMaxNewTokens(60)));
                backend().exhaustAfter(more);
                Generation later = engine.submit(Request.of(PROMPT, TEN));
                ended(running);
                ended(later);
                backend().exhaustAfter(-1);
                assertNoSequences();
                assertThat(engine.complete(Request.of(PROMPT, TEN)).ids()).isEqualTo(alone);
            }
        }
    }

    private static void ended(Generation generation) {
        try {
            generation.join();
        } catch (RuntimeException e) {
            assertThat(e).hasMessageContaining("memory");
        }
    }

    /// Many threads with requests, cancellations, timeouts, failing listeners, conversations and too little memory:
    /// every survivor has the answer it gets alone, and nothing is left.
    @ParameterizedTest
    @MethodSource("strategies")
    void manyCallersLeaveNothingBehind(KvCacheSpec spec) {
        List<int[]> prompts = new ArrayList<>();
        List<int[]> alone = new ArrayList<>();
        long limit;
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec))) {
            for (int i = 0; i < 5; i++) {
                prompts.add(Logits.ids(new int[] {2, 20, 41, 60, 100}[i], VOCABULARY, i));
                alone.add(engine.complete(Request.of(prompts.get(i), TEN)).ids());
            }
            var plan = engine.plan(110, 3);
            limit = plan.residentBytes() + plan.offloadedBytes() + 2 * plan.workspaceBytes();
        }
        EngineOptions tight = EngineOptions.DEFAULT
                .withCache(spec)
                .withMemoryLimits(limit, limit)
                .withPrefillRows(16);
        try (Engine engine = open(tight);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> results = new ArrayList<>();
            for (int caller = 0; caller < 6; caller++) {
                Random random = new Random(caller);
                results.add(callers.submit(() -> callAtRandom(engine, prompts, alone, random)));
            }
            int survivors = results.stream().mapToInt(ServingLaws::resultOf).sum();
            assertThat(survivors).as("requests that were answered").isGreaterThan(60);
            assertNoSequences();
            assertThat(engine.runningRequests() + engine.waitingRequests()).isZero();
        }
    }

    /// @return number of requests that were answered
    private int callAtRandom(Engine engine, List<int[]> prompts, List<int[]> alone, Random random) {
        int answered = 0;
        for (int i = 0; i < 25; i++) {
            int which = random.nextInt(prompts.size());
            Request request = Request.of(prompts.get(which), TEN);
            int kind = random.nextInt(6);
            try {
                Completion completion = switch (kind) {
                    case 0 -> engine.complete(request.withTimeout(Duration.ofMillis(1 + random.nextInt(20))));
                    case 1 -> {
                        Generation generation = engine.submit(request);
                        Thread.sleep(random.nextInt(5));
                        generation.cancel();
                        yield generation.join();
                    }
                    case 2 ->
                        engine.complete(request.withListener(new GenerationListener() {
                            @Override
                            public void token(int id, String text) {
                                throw new UnsupportedOperationException("enough");
                            }
                        }));
                    case 3 -> {
                        try (Conversation conversation = engine.converse(200)) {
                            yield conversation.send(request);
                        }
                    }
                    default -> engine.submit(request).join();
                };
                int[] expected = alone.get(which);
                if (isBatchInvariant()) {
                    assertThat(completion.ids()).isEqualTo(java.util.Arrays.copyOf(expected, completion.ids().length));
                }
                if (completion.finish() == FinishReason.MAX_NEW_TOKENS) {
                    assertThat(completion.ids()).hasSameSizeAs(expected);
                    answered++;
                }
            } catch (UnsupportedOperationException e) {
                assertThat(kind).isEqualTo(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        return answered;
    }
}
