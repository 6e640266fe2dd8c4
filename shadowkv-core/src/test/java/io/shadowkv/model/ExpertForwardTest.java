package io.shadowkv.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.TinyShape;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.Scales;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The sum of the outputs of a token's experts.
class ExpertForwardTest {
    private static final int HIDDEN = 32;
    private static final FeedForwardSpec.Experts EXPERTS = new FeedForwardSpec.Experts(4, 4, 8, true);

    /// Each of four experts adds 0.9, and numbers of BF16 at 256 are 2 apart: rounded after each expert, the sum
    /// stays 256.
    @Test
    void outputsAreSummedBeforeTheyAreRounded() {
        LayerSpec dense = TinyShape.llama(1).layer(0);
        LayerSpec layer = new LayerSpec(dense.rope(), 0, false, false, EXPERTS);
        DecoderSpec spec = new DecoderSpec(
                "qwen3_moe", HIDDEN, 4, 2, 16, 64, 1e-5, Scales.of(16), false, 4096, "", List.of(layer));
        try (Backend backend = new ReferenceBackend();
                MemoryScope scope = backend.newScope("a test")) {
            Tensor norm = filled(scope, 1, HIDDEN);
            var router = new Projection(filled(scope, 0, EXPERTS.count(), HIDDEN), null);
            // silu(32) · 0.125 = 4, times 8 · 0.1125 is 3.6, a quarter of it 0.9.
            var mlp = new DecoderWeights.Mlp(
                    ProjectionGroup.of(List.of(
                            new Projection(filled(scope, 1, EXPERTS.intermediateSize(), HIDDEN), null),
                            new Projection(filled(scope, 0.125f / 32, EXPERTS.intermediateSize(), HIDDEN), null))),
                    new Projection(filled(scope, 0.1125f, HIDDEN, EXPERTS.intermediateSize()), null));
            var weights = new DecoderWeights.FeedForward(norm, router, Collections.nCopies(4, mlp), null);
            Workspace work = Workspace.allocate(spec, DType.BF16, scope, 2);
            Floats.fill(work.normed(), ones(2 * HIDDEN, 1));
            Tensor hidden = filled(scope, 256, 2, HIDDEN);

            new ExpertForward(backend).add(EXPERTS, weights, work, hidden);

            assertThat(Floats.toArray(hidden)).containsOnly(260);
        }
    }

    private static Tensor filled(MemoryScope scope, float value, int... extents) {
        Tensor tensor = scope.allocate(DType.BF16, extents);
        Floats.fill(tensor, ones(Math.toIntExact(tensor.elements()), value));
        return tensor;
    }

    private static float[] ones(int count, float value) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return values;
    }
}
