package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.op.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A sequence that outgrows the resident region is indexed on the side queue, and others decode
/// meanwhile.
class OutgrowingTest extends BackendLaws {
    private static final GenerationOptions ANSWER =
            GenerationOptions.DEFAULT.withMaxNewTokens(40).withIgnoreEos(true);

    OutgrowingTest() {
        super(BackendUnderTest.exact(() -> new DeviceLikeBackend(new ReferenceBackend())));
    }

    private SchedulerBench open() {
        return new SchedulerBench(
                checkpoint(RandomCheckpoint.SMALL), backend(), EngineOptions.DEFAULT.withCache(NARROW));
    }

    private static Request request(int tokens, int number) {
        return Request.of(Logits.ids(tokens, 64, number), ANSWER);
    }

    @Test
    void othersDecodeWhileASequenceIsIndexed() {
        int[] expected;
        try (SchedulerBench bench = open()) {
            expected = bench.finish(bench.submit("alone", request(20, 1)));
        }
        try (SchedulerBench bench = open()) {
            Sequence outgrowing = bench.submit("outgrowing", request(20, 1));
            Sequence other = bench.submit("other", request(2, 2));
            assertThat(bench.finish(outgrowing)).isEqualTo(expected);
            bench.finish(other);
            int most = 0;
            int between = 0;
            List<String> heard = bench.heard();
            for (String event : heard.subList(0, heard.indexOf("outgrowing ended"))) {
                between = event.equals("other token") ? between + 1 : 0;
                most = Math.max(most, between);
            }
            assertThat(most).as("tokens of the other sequence in a row").isGreaterThanOrEqualTo(DeviceLikeBackend.LOOKS);
        }
    }

    /// Nothing else runs: the scheduler waits for the indexing instead of looking again and again.
    @Test
    void aSequenceAloneDoesNotLookInVain() {
        try (SchedulerBench bench = open()) {
            Sequence alone = bench.submit("alone", request(20, 1));
            int rounds = 0;
            int before = 0;
            while (!alone.isFinished()) {
                bench.roundAndCheck();
                long tokens = bench.heard().stream().filter("alone token"::equals).count();
                rounds = tokens == before ? rounds + 1 : 0;
                before = (int) tokens;
                assertThat(before == 0 || rounds <= 1).as("a round without a token").isTrue();
            }
        }
    }

    @Test
    void aSequenceCanBeCancelledWhileItIsIndexed() {
        Cancellation cancellation = new Cancellation();
        try (SchedulerBench bench = open()) {
            Sequence outgrowing = bench.submit("outgrowing", request(20, 1).withCancellation(cancellation));
            Sequence other = bench.submit("other", request(2, 2));
            while (backend().purposes().stream().noneMatch("indexing a sequence"::equals)) {
                bench.roundAndCheck();
            }
            cancellation.cancel();
            bench.roundAndCheck();
            assertThat(outgrowing.isFinished()).isTrue();
            assertThat(backend().purposes()).doesNotContain("indexing a sequence");
            assertThat(bench.finish(other)).hasSize(40);
        }
    }
}
