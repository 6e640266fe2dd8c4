package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.shadowkv.Fixtures;
import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The memory plan: what it promises is what is allocated, and what it refuses is not.
public abstract class MemoryLaws extends BackendLaws {
    private static final GenerationOptions TEN =
            GenerationOptions.DEFAULT.withMaxNewTokens(10).withIgnoreEos(true);

    protected MemoryLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, new Shadow(7, 1, 13, 1, 3, 5), Shadow.DEFAULT);
    }

    private Engine open(EngineOptions options) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    /// Short, just fitting, just not fitting, long: planned bytes are measured bytes, in both places and every
    /// type.
    @ParameterizedTest
    @MethodSource("strategies")
    void plannedBytesAreMeasuredBytes(KvCacheSpec spec) {
        for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
            try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec).withKvType(type))) {
                for (int prompt : new int[] {1, 12, 20, 34, 35, 44, 45, 90}) {
                    Completion completion = engine.complete(Request.of(Logits.ids(prompt, 64, prompt), TEN));
                    var report = completion.cache();
                    String what = spec + " " + type + ", " + prompt + " tokens and 10";
                    assertThat(report.measured().resident())
                            .as(what)
                            .isEqualTo(report.planned().resident());
                    assertThat(report.measured().offloaded())
                            .as(what)
                            .isEqualTo(report.planned().offloaded());
                    MemoryPlan plan = engine.plan(prompt + 10, 3);
                    assertThat(report.planned()).isEqualTo(plan.perSequence());
                    assertThat(plan.residentBytes())
                            .isEqualTo(3 * report.measured().resident());
                    assertThat(plan.perSequence().parts().stream()
                                    .mapToLong(MemoryPlan.Item::bytes)
                                    .sum())
                            .isEqualTo(report.measured().resident()
                                    + report.measured().offloaded());
                }
            }
        }
    }

    /// Full attention's bytes follow from the shape alone: 2 · layers · heads · head dim · bytes · tokens.
    @Test
    void aPlanSaysWhatASequenceTakes() {
        try (Engine engine = open(EngineOptions.DEFAULT.withKvType(DType.BF16))) {
            MemoryPlan plan = engine.plan(1000, 4);
            assertThat(plan.perSequence().resident()).isEqualTo(2L * 2 * 2 * 16 * 2 * 1000);
            assertThat(plan.offloadedBytes()).isZero();
            assertThat(plan.strategy()).isEqualTo("full");
            assertThat(plan.isAdmitted()).isTrue();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.plan(0, 1))
                    .withMessage("a plan for 1 sequences of 0 tokens; expected 1 or more of each");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.plan(1, 0))
                    .withMessageContaining("expected 1 or more of each");
        }
    }

    /// Refused with the numbers, before anything is allocated; a shorter request is served afterwards.
    @Test
    void whatDoesNotFitIsRefusedWithNumbers() {
        try (Engine probe = open(EngineOptions.DEFAULT)) {
            MemoryPlan fitting = probe.plan(40, 1);
            long limit = fitting.perSequence().resident() + fitting.workspaceBytes();
            try (Engine engine = open(EngineOptions.DEFAULT.withMemoryLimits(limit, limit))) {
                long allocations = backend().allocations();
                assertThat(engine.plan(40, 1).isAdmitted()).isTrue();
                assertThat(engine.plan(41, 1).isAdmitted()).isFalse();
                MemoryPlan refused = engine.plan(80, 1);
                String numbers =
                        "1 sequence of 80 tokens with full needs %,d bytes resident, 0 offloaded and %,d of workspace; available are %,d bytes"
                                .formatted(refused.residentBytes(), refused.workspaceBytes(), limit);
                assertThatExceptionOfType(MemoryPlanException.class)
                        .isThrownBy(() -> engine.complete(Request.of(Logits.ids(70, 64, 1), TEN)))
                        .withMessageStartingWith(numbers)
                        .withMessageContaining("Shorten the context or use shadowkv.");
                assertThatExceptionOfType(MemoryPlanException.class)
                        .isThrownBy(() -> engine.logits(Logits.ids(80, 64, 1), 80, false, 0, row -> {}))
                        .withMessageStartingWith(numbers);
                try (Conversation conversation = engine.converse(80)) {
                    assertThatExceptionOfType(MemoryPlanException.class)
                            .isThrownBy(() -> conversation.send(Request.of(new int[] {1}, TEN)))
                            .withMessageStartingWith(numbers);
                }
                assertThat(backend().allocations())
                        .as("allocations by refused requests")
                        .isEqualTo(allocations);
                assertThat(engine.complete(Request.of(Logits.ids(30, 64, 1), TEN))
                                .ids())
                        .hasSize(10);
            }
        }
    }

    @Test
    void aPlanForTooManySaysHowManyFit() {
        try (Engine probe = open(EngineOptions.DEFAULT)) {
            MemoryPlan one = probe.plan(40, 1);
            long limit = 3 * one.perSequence().resident() + one.workspaceBytes();
            try (Engine engine = open(EngineOptions.DEFAULT.withMemoryLimits(limit, limit))) {
                assertThat(engine.plan(40, 3).isAdmitted()).isTrue();
                assertThat(engine.plan(40, 4).isAdmitted()).isFalse();
                assertThat(engine.plan(40, 4).refusal())
                        .startsWith("4 sequences of 40 tokens with full need")
                        .endsWith("At most 3 fit at once: use a smaller batch.");
            }
        }
    }

    /// More requests than fit wait for their turn; no more are held at once than the limit allows.
    @ParameterizedTest
    @MethodSource("strategies")
    void aBatchLargerThanTheMemoryWaits(KvCacheSpec spec) {
        EngineOptions options = EngineOptions.DEFAULT.withCache(spec).withValuePlace(ValuePlace.HOST);
        List<Request> requests = new ArrayList<>();
        long[] most = new long[1];
        GenerationListener listener = new GenerationListener() {
            @Override
            public void token(int id, String text) {
                long sequences = backend().purposes().stream()
                        .filter(purpose -> purpose.contains("of a sequence of 70 tokens"))
                        .count();
                most[0] = Math.max(most[0], sequences);
            }
        };
        for (int i = 0; i < 5; i++) {
            requests.add(Request.of(Logits.ids(60, 64, i), TEN).withListener(listener));
        }
        try (Engine free = open(options)) {
            List<Completion> expected = free.complete(requests);
            MemoryPlan plan = free.plan(70, 1);
            assertThat(most[0]).as("sequences at once without a limit").isEqualTo(5);
            most[0] = 0;
            // Room for two sequences, and the workspace of the one that is being read.
            MemoryPlan.SequenceBytes one = plan.perSequence();
            long device = 2 * one.resident() + plan.workspaceBytes();
            long host = Math.max(1, 2 * one.offloaded());
            EngineOptions two = backend().isHostDevice()
                    ? options.withMemoryLimits(device + host, device + host)
                    : options.withMemoryLimits(device, host);
            try (Engine limited = open(two)) {
                List<Completion> completions = limited.complete(requests);
                assertThat(most[0]).as("sequences at once").isEqualTo(2);
                for (int i = 0; i < requests.size(); i++) {
                    int[] found = completions.get(i).ids();
                    int[] wanted = expected.get(i).ids();
                    assertThat(found).hasSameSizeAs(wanted).startsWith(wanted[0]);
                    if (isBatchInvariant()) {
                        assertThat(found).isEqualTo(wanted);
                    }
                }
            }
        }
    }

    /// A checkpoint's weights are read where they are mapped: nothing as large as a weight matrix is allocated
    /// for them.
    @Test
    void weightsAreNotCopied() {
        var folder = Fixtures.golden("models").resolve("models/tiny-llama3-bf16");
        try (Engine engine = Engine.open(folder, backend(), EngineOptions.DEFAULT)) {
            assertThat(engine.checkpoint().weightBytes()).isGreaterThan(700_000);
            long copied = backend().isHostDevice() ? 0 : engine.checkpoint().weightBytes();
            assertThat(backend().heldBytes()).as("bytes held by an open engine").isLessThan(1000 + 3 * copied);
            engine.complete(Request.of(new int[] {1, 2, 3}, TEN));
            assertThat(backend().purposes()).contains("the weights");
            // The largest thing needed for three tokens is the rotary table of 4,096 positions.
            if (backend().isHostDevice()) {
                assertThat(backend().largestTensor()).isLessThanOrEqualTo(4096 * 32 * 4);
            }
        }
    }
}
