package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of those who listen to an engine: all ways say the same, and no listener disturbs anybody else.
public abstract class ListenerLaws extends EngineLaws {
    protected ListenerLaws(BackendUnderTest tested) {
        super(tested);
    }

    /// The iterator, the publisher and the completion say the same as a call that waits.
    @ParameterizedTest
    @MethodSource("strategies")
    void everyWayToListenHearsTheSame(KvCacheSpec spec) {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec))) {
            Completion expected = engine.complete(Request.of(PROMPT, TEN));
            List<Integer> pulled = new ArrayList<>();
            Completion last = null;
            Iterator<GenerationEvent> events =
                    engine.submit(Request.of(PROMPT, TEN)).events();
            while (events.hasNext()) {
                switch (events.next()) {
                    case GenerationEvent.Reading reading -> assertThat(pulled).isEmpty();
                    case GenerationEvent.Token token -> pulled.add(token.id());
                    case GenerationEvent.Ended ended -> last = ended.completion();
                }
            }
            assertThat(pulled).containsExactlyElementsOf(asList(expected.ids()));
            assertThat(last).isNotNull();
            Collector collector = new Collector();
            engine.submit(Request.of(PROMPT, TEN)).publisher().subscribe(collector);
            assertThat(collector.done.join()).containsExactlyElementsOf(pulled);
            Heard heard = new Heard();
            Generation listened = engine.submit(Request.of(PROMPT, TEN).withListener(heard));
            assertThat(listened.join().ids()).isEqualTo(expected.ids());
            assertThat(engine.submit(Request.of(PROMPT, TEN))
                            .completion()
                            .toCompletableFuture()
                            .join()
                            .ids())
                    .isEqualTo(expected.ids());
            assertThat(expected.timings().firstTokenNanos()).isPositive();
            assertThat(expected.cachedTokens()).isZero();
        }
    }

    private static List<Integer> asList(int[] ids) {
        return java.util.Arrays.stream(ids).boxed().toList();
    }

    /// Requests two events at a time.
    private static final class Collector implements Flow.Subscriber<GenerationEvent> {
        private final CompletableFuture<List<Integer>> done = new CompletableFuture<>();
        private final List<Integer> ids = new ArrayList<>();
        private Flow.Subscription subscription;
        private int received;

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(2);
        }

        @Override
        public void onNext(GenerationEvent event) {
            if (event instanceof GenerationEvent.Token token) {
                ids.add(token.id());
            }
            if (++received % 2 == 0) {
                subscription.request(2);
            }
        }

        @Override
        public void onError(Throwable reason) {
            done.completeExceptionally(reason);
        }

        @Override
        public void onComplete() {
            done.complete(ids);
        }
    }

    /// One caller's listener blocks for good, and another's throws; a third caller is answered meanwhile.
    @Test
    void aListenerDisturbsNobodyElse() throws InterruptedException {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        GenerationListener blocking = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                blocked.countDown();
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        };
        GenerationListener throwing = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                throw new UnsupportedOperationException("enough");
            }
        };
        try (Engine engine = open(EngineOptions.DEFAULT);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            int[] alone = engine.complete(Request.of(PROMPT, TEN)).ids();
            Future<Completion> waiting =
                    callers.submit(() -> engine.complete(Request.of(PROMPT, TEN).withListener(blocking)));
            blocked.await();
            try {
                Generation failing = engine.submit(Request.of(PROMPT, LONG).withListener(throwing));
                assertThat(engine.complete(Request.of(PROMPT, TEN)).ids()).isEqualTo(alone);
                assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(failing::join);
                assertThat(waiting.isDone()).isFalse();
            } finally {
                release.countDown();
            }
            assertThat(resultOf(waiting).ids()).isEqualTo(alone);
            assertNoSequences();
        }
    }

    /// An exception at the last token is not lost, though the sequence has ended by then.
    @Test
    void aListenerMayFailAtTheLastToken() {
        List<Integer> heard = new ArrayList<>();
        GenerationListener late = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                heard.add(id);
                if (heard.size() == 10) {
                    throw new UnsupportedOperationException("enough");
                }
            }
        };
        try (Engine engine = open(EngineOptions.DEFAULT)) {
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> engine.complete(Request.of(PROMPT, TEN).withListener(late)));
            assertThat(engine.complete(Request.of(PROMPT, TEN)).ids())
                    .isEqualTo(heard.stream().mapToInt(Integer::intValue).toArray());
            assertNoSequences();
        }
    }
}
