package io.shadowkv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.TinyShape;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.Scales;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The bytes of weights that a step reads: a batch chooses more experts than a token, and not as many as all
/// its tokens together.
class LayerBytesTest {
    private static final FeedForwardSpec.Experts EXPERTS = new FeedForwardSpec.Experts(16, 4, 24, true);
    private static final long ATTENTION = 4L * (32 * 64 + 2 * 32 * 32 + 64 * 32);
    private static final long PLAIN = 4L * 3 * 32 * 48;
    private static final long EXPERT = 4L * 3 * 32 * 24;
    private static final long ROUTER = 4L * 16 * 32;
    private static final long HEAD = 4L * 64 * 32;

    @Test
    void expertsAreThoseThatABatchIsExpectedToChoose() {
        assertThat(EXPERTS.mlpsRead(1)).isCloseTo(4, within(1e-9));
        assertThat(EXPERTS.mlpsRead(2)).isCloseTo(7, within(1e-9));
        assertThat(EXPERTS.mlpsRead(64)).isBetween(15.99, 16.0);
        assertThat(new FeedForwardSpec.Gated(48).mlpsRead(64)).isEqualTo(1);

        DecoderSpec plain = TinyShape.llama(1);
        LayerSpec dense = plain.layer(0);
        LayerSpec mixed = new LayerSpec(dense.rope(), 0, false, false, EXPERTS);
        DecoderSpec spec = new DecoderSpec(
                "qwen3_moe", 32, 4, 2, 16, 64, 1e-5, Scales.of(16), false, 4096, "", List.of(mixed, dense));
        try (Backend backend = new ReferenceBackend();
                MemoryScope scope = backend.newScope("a test")) {
            DecoderWeights weights = new RandomWeights(
                            spec, DType.F32, new WeightEncoder(WeightPrecision.STORED), 1, backend, scope)
                    .fill();
            var forward = new LayerForward(spec, weights, backend);
            assertThat(forward.layerBytes(1)).isCloseTo(ATTENTION + ROUTER + 4 * EXPERT, within(1e-3));
            assertThat(forward.layerBytes(2)).isCloseTo(ATTENTION + ROUTER + 7 * EXPERT, within(1e-3));
            assertThat(forward.stepBytes(2) - forward.layerBytes(2)).isCloseTo(ATTENTION + PLAIN + HEAD, within(1e-3));
        }
    }
}
