package io.shadowkv.cli.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.engine.Cancellation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LoadRunTest {
    private static final PromptSource IDS = new PromptSource.RandomIds(100);
    private static final LoadRun.Progress SILENT = (ended, failed) -> {};

    /// Answers with two tokens, after what a test lets it wait for.
    private static class Answering implements LoadTarget {
        final AtomicInteger running = new AtomicInteger();
        final AtomicInteger most = new AtomicInteger();
        final List<String> log = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void answer(LoadRequest request, AnswerSink sink) throws InterruptedException {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            try {
                await(request);
            } finally {
                running.decrementAndGet();
            }
            sink.arrived();
            sink.arrived();
            sink.counted(8, 4, 2);
        }

        void await(LoadRequest request) throws InterruptedException {}

        @Override
        public void read(LoadDocument document) {
            log.add("read " + document.index());
        }

        @Override
        public void forget(LoadDocument document) {
            log.add("forget " + document.index());
        }
    }

    private static LoadTrace chat(int requests) {
        return LoadTrace.of(new TraceSpec.Chat(requests, 4, 8, 2), IDS, 1, 2, 3);
    }

    private static LoadTrace documents(int documents, int questions, TraceSpec.Order order) {
        return LoadTrace.of(new TraceSpec.Documents(documents, 10, 20, questions, 3, 2, order), IDS, 1, 2, 3);
    }

    /// The first answer comes only after the last request has been sent: a generator that waited for
    /// it would never send that one. The latency of the first counts from its own time.
    @Test
    void slowAnswersDoNotDelayArrivals() {
        CountDownLatch allSent = new CountDownLatch(20);
        Answering target = new Answering() {
            @Override
            void await(LoadRequest request) throws InterruptedException {
                allSent.countDown();
                allSent.await();
            }
        };
        long[] arrivals = Arrivals.poisson(1000, 20, 1);
        List<AnswerRecord> records = new LoadRun(target, chat(20), null, new Cancellation(), SILENT).open(arrivals);
        assertThat(target.most.get()).isEqualTo(20);
        assertThat(records).hasSize(20).allMatch(AnswerRecord::isComplete);
        for (int i = 0; i < 20; i++) {
            assertThat(records.get(i).scheduled()).isEqualTo(arrivals[i]);
            assertThat(records.get(i).sent()).isGreaterThanOrEqualTo(arrivals[i]);
        }
        assertThat(records.getFirst().firstTokenNanos()).isGreaterThanOrEqualTo(arrivals[19] - arrivals[0]);
        assertThat(records.getFirst().cachedTokens()).isEqualTo(4);
    }

    @Test
    void aClosedLoopHasAsManyRequestsAsClients() {
        CountDownLatch both = new CountDownLatch(3);
        Answering target = new Answering() {
            @Override
            void await(LoadRequest request) throws InterruptedException {
                both.countDown();
                both.await();
            }
        };
        List<AnswerRecord> records =
                new LoadRun(target, chat(50), null, new Cancellation(), SILENT).closed(3, Long.MAX_VALUE);
        assertThat(records).hasSize(50);
        assertThat(records).extracting(AnswerRecord::index).doesNotHaveDuplicates();
        assertThat(target.most.get()).isEqualTo(3);
    }

    @Test
    void failuresKeepTheirKindAndFirstMessage() {
        Answering target = new Answering() {
            @Override
            void await(LoadRequest request) {
                if (request.index() % 2 == 0) {
                    throw new LoadFailure("HTTP 429 queue_full", "no room for " + request.index());
                }
            }
        };
        List<int[]> progress = new ArrayList<>();
        LoadRun run = new LoadRun(
                target, chat(4), null, new Cancellation(), (ended, failed) -> progress.add(new int[] {ended, failed}));
        List<AnswerRecord> records = run.closed(1, Long.MAX_VALUE);
        assertThat(records)
                .extracting(AnswerRecord::error)
                .containsExactly("HTTP 429 queue_full", "", "HTTP 429 queue_full", "");
        assertThat(run.firstMessages()).containsEntry("HTTP 429 queue_full", "no room for 0");
        assertThat(progress.getLast()).containsExactly(4, 2);
    }

    @Test
    void anInterruptionKeepsWhatWasMeasured() {
        Cancellation cancellation = new Cancellation();
        Answering target = new Answering() {
            @Override
            void await(LoadRequest request) throws InterruptedException {
                if (request.index() == 2) {
                    cancellation.cancel();
                    new CountDownLatch(1).await();
                }
            }
        };
        List<AnswerRecord> records =
                new LoadRun(target, chat(100), null, cancellation, SILENT).closed(1, Long.MAX_VALUE);
        assertThat(records).hasSize(3);
        assertThat(records.subList(0, 2)).allMatch(AnswerRecord::isComplete);
        assertThat(records.getLast().error()).isEqualTo(AnswerRecord.INTERRUPTED);
        List<AnswerRecord> none = new LoadRun(target, chat(100), null, cancellation, SILENT).open(new long[100]);
        assertThat(none).isEmpty();
    }

    @Test
    void aDocumentIsReadOnceAndTheLeastRecentlyUsedMakesRoom() throws Exception {
        Answering target = new Answering();
        DocumentPool pool = new DocumentPool(target, 2);
        LoadTrace trace = documents(3, 2, TraceSpec.Order.GROUPED);
        new LoadRun(target, trace, pool, new Cancellation(), SILENT).closed(1, Long.MAX_VALUE);
        assertThat(target.log).containsExactly("read 0", "read 1", "forget 0", "read 2");
        assertThat(pool.readings()).hasSize(3);
        pool.clear();
        assertThat(target.log).endsWith("forget 1", "forget 2");
    }

    /// A third document waits while questions about both others run.
    @Test
    void aDocumentInUseIsNotForgotten() throws Exception {
        Answering target = new Answering();
        DocumentPool pool = new DocumentPool(target, 1);
        List<LoadDocument> documents = documents(2, 1, TraceSpec.Order.GROUPED).documents();
        pool.enter(documents.get(0));
        Semaphore begun = new Semaphore(0);
        CompletableFuture<Void> second = CompletableFuture.runAsync(() -> {
            begun.release();
            try {
                pool.enter(documents.get(1));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        begun.acquire();
        assertThat(target.log).containsExactly("read 0");
        assertThat(second).isNotDone();
        pool.leave(documents.get(0));
        second.get(60, TimeUnit.SECONDS);
        assertThat(target.log).containsExactly("read 0", "forget 0", "read 1");
    }

    @Test
    void aDocumentThatIsNotReadFailsItsQuestionsAndIsTriedAgain() throws Exception {
        AtomicInteger readings = new AtomicInteger();
        Answering target = new Answering() {
            @Override
            public void read(LoadDocument document) {
                if (readings.incrementAndGet() == 1) {
                    throw new LoadFailure("HTTP 507 too_many_documents", "full");
                }
            }
        };
        DocumentPool pool = new DocumentPool(target, 1);
        LoadRun run = new LoadRun(target, documents(1, 3, TraceSpec.Order.GROUPED), pool, new Cancellation(), SILENT);
        assertThat(run.closed(1, Long.MAX_VALUE))
                .extracting(AnswerRecord::error)
                .containsExactly("HTTP 507 too_many_documents", "", "");
        assertThat(readings.get()).isEqualTo(2);
        assertThatThrownBy(() -> new DocumentPool(target, 0)).hasMessageContaining("expected 1 or more");
        assertThat(Objects.requireNonNull(pool.readings().getFirst()).tokens()).isEqualTo(15);
    }
}
