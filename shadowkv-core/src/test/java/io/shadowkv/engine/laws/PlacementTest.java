package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Where the plan puts values when both places are memories of their own.
class PlacementTest {
    private static final Shadow SPEC = new Shadow(8, 4, 16, 2, 8, 8);
    private static final int TOKENS = 200;
    private static final int LAYERS = 6;
    private static final EngineOptions OPTIONS =
            EngineOptions.DEFAULT.withCache(SPEC).withMaxBatch(3);

    @TempDir
    Path temporary;

    private Engine open(EngineOptions options, CheckedBackend backend) {
        RandomCheckpoint shape = new RandomCheckpoint("llama", LAYERS, 4, 2, 16, 64, 4096, "");
        return Engine.open(shape.write(temporary.resolve("checkpoint")), backend, options);
    }

    private static CheckedBackend backend() {
        return new CheckedBackend(new DeviceLikeBackend(new ReferenceBackend()));
    }

    private static long bytes(MemoryPlan plan, String name) {
        return plan.perSequence().parts().stream()
                .filter(part -> part.name().equals(name))
                .mapToLong(MemoryPlan.Item::bytes)
                .sum();
    }

    /// With room for the values of one more layer a sequence, one more layer's values stay on the device; answers
    /// are the same, and what was planned is what was allocated.
    @ParameterizedTest
    @EnumSource(ValueFormat.class)
    void valuesTakeWhatTheRestLeavesFree(ValueFormat format) {
        EngineOptions options = OPTIONS.withCache(SPEC.withValues(format));
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            requests.add(Request.of(
                    Logits.ids(TOKENS - 10, 64, i),
                    GenerationOptions.DEFAULT.withMaxNewTokens(10).withIgnoreEos(true)));
        }
        try (CheckedBackend backend = backend();
                Engine hosted = open(options.withValuePlace(ValuePlace.HOST), backend)) {
            List<Completion> expected = hosted.complete(requests);
            MemoryPlan none = hosted.plan(TOKENS, 3);
            long layerBytes = bytes(none, "values") / LAYERS;
            assertThat(none.perSequence().offloaded()).isEqualTo(LAYERS * layerBytes);
            for (int layers = 0; layers <= LAYERS; layers++) {
                long device = none.workspaceBytes() + 3 * (none.perSequence().resident() + layers * layerBytes);
                long host = 3 * (LAYERS - layers) * layerBytes;
                EngineOptions limited = options.withMemoryLimits(device, Math.max(1, host));
                try (Engine engine = open(limited, backend)) {
                    MemoryPlan plan = engine.plan(TOKENS, 3);
                    assertThat(plan.isAdmitted()).as(layers + " layers").isTrue();
                    assertThat(plan.largestBatch()).isEqualTo(3);
                    assertThat(plan.perSequence().offloaded()).isEqualTo((LAYERS - layers) * layerBytes);
                    List<Completion> completions = engine.complete(requests);
                    for (int i = 0; i < requests.size(); i++) {
                        Completion.CacheReport report = completions.get(i).cache();
                        assertThat(completions.get(i).ids())
                                .isEqualTo(expected.get(i).ids());
                        assertThat(report.planned()).isEqualTo(plan.perSequence());
                        assertThat(report.measured().resident())
                                .isEqualTo(report.planned().resident());
                        assertThat(report.measured().offloaded())
                                .isEqualTo(report.planned().offloaded());
                    }
                }
            }
        }
    }

    /// A batch for which both memories together are too small by one byte is refused, and one fewer is not.
    @Test
    void bothMemoriesTogetherLimitTheBatch() {
        try (CheckedBackend backend = backend();
                Engine probe = open(OPTIONS.withValuePlace(ValuePlace.HOST), backend)) {
            MemoryPlan none = probe.plan(TOKENS, 3);
            long layerBytes = bytes(none, "values") / LAYERS;
            long device = none.workspaceBytes() + 3 * (none.perSequence().resident() + 2 * layerBytes);
            long host = 3 * (LAYERS - 2) * layerBytes;
            try (Engine engine = open(OPTIONS.withMemoryLimits(device, host - 1), backend)) {
                assertThat(engine.plan(TOKENS, 3).isAdmitted()).isFalse();
                assertThat(engine.plan(TOKENS, 3).largestBatch()).isEqualTo(2);
                assertThat(engine.plan(TOKENS, 2).isAdmitted()).isTrue();
                assertThatExceptionOfType(MemoryPlanException.class)
                        .isThrownBy(() -> engine.openBatch(3, TOKENS))
                        .withMessageContaining("in device memory and %,d in host memory".formatted(host - 1))
                        .withMessageEndingWith("At most 2 fit at once: use a smaller batch.");
            }
        }
    }

    /// Fewer sequences leave more of the device to each one's values.
    @Test
    void aSmallBatchKeepsMoreNearTheArithmetic() {
        try (CheckedBackend backend = backend();
                Engine probe = open(OPTIONS.withValuePlace(ValuePlace.HOST), backend)) {
            MemoryPlan none = probe.plan(TOKENS, 3);
            long device = none.workspaceBytes() + 3 * none.perSequence().resident();
            try (Engine engine = open(OPTIONS.withMemoryLimits(device, Long.MAX_VALUE / 2), backend)) {
                assertThat(engine.plan(TOKENS, 3).perSequence().offloaded())
                        .isEqualTo(none.perSequence().offloaded());
                assertThat(engine.plan(TOKENS, 1).perSequence().offloaded())
                        .isLessThan(none.perSequence().offloaded());
            }
        }
    }
}
