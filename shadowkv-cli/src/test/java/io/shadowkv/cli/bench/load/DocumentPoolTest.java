package io.shadowkv.cli.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Documents that clients keep on a server of few places.
class DocumentPoolTest {
    private static final LoadDocument FIRST = document(0);
    private static final LoadDocument SECOND = document(1);
    private static final LoadDocument THIRD = document(2);

    private static LoadDocument document(int index) {
        return new LoadDocument(index, 1, new PromptText.Ids(new int[] {index}), "key" + index);
    }

    /// A document that leaves the server is sent again only after it has left.
    @Test
    void aDocumentIsReadAgainAfterItHasLeft() throws Exception {
        List<String> calls = new CopyOnWriteArrayList<>();
        CountDownLatch isLeaving = new CountDownLatch(1);
        CountDownLatch mayLeave = new CountDownLatch(1);
        DocumentPool pool = new DocumentPool(
                new LoadTarget() {
                    @Override
                    public void answer(LoadRequest request, AnswerSink sink) {}

                    @Override
                    public void read(LoadDocument document) {
                        calls.add("read " + document.index());
                    }

                    @Override
                    public void forget(LoadDocument document) throws InterruptedException {
                        if (document.equals(FIRST)) {
                            isLeaving.countDown();
                            mayLeave.await();
                        }
                        calls.add("forget " + document.index());
                    }
                },
                2);
        entering(pool, FIRST).run();
        entering(pool, SECOND).run();
        FutureTask<Void> other = entering(pool, THIRD);
        Thread.ofPlatform().start(other);
        isLeaving.await();
        FutureTask<Void> again = entering(pool, FIRST);
        Thread waiting = Thread.ofPlatform().start(again);
        while (waiting.getState() != Thread.State.WAITING && waiting.isAlive()) {
            Thread.onSpinWait();
        }
        assertThat(calls).containsExactly("read 0", "read 1");
        mayLeave.countDown();
        other.get(1, TimeUnit.MINUTES);
        again.get(1, TimeUnit.MINUTES);
        assertThat(calls).containsOnlyOnce("forget 0").endsWith("read 0").hasSize(6);
        assertThat(pool.readings()).hasSize(4);
    }

    private static FutureTask<Void> entering(DocumentPool pool, LoadDocument document) {
        return new FutureTask<>(() -> {
            pool.enter(document);
            pool.leave(document);
            return null;
        });
    }
}
