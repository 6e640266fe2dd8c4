package io.shadowkv.cli.bench.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.cli.bench.e2e.StepBytes.Decoding;
import io.shadowkv.cli.bench.e2e.StepBytes.Index;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.KnownShapes;
import io.shadowkv.op.OperationKind;
import io.shadowkv.tensor.DType;
import org.junit.jupiter.api.Test;

/// Compares the computed bytes of a step with values calculated by hand for Llama-3.1-8B.
class StepBytesTest {
    private static final DecoderSpec LLAMA = KnownShapes.named("llama-3.1-8b");
    private static final Ceilings H200 = new Ceilings(4.3e12, 55e9);

    private static Decoding decoding(int batch) {
        // 32 layers of queries, keys, values, output and MLP, and the head, in bf16.
        double layer = 4096.0 * (2 * 4096 + 2 * 1024 + 3 * 14_336);
        return new Decoding(LLAMA, 2 * (32 * layer + 4096.0 * 128_256), DType.BF16, batch);
    }

    @Test
    void fullAttentionReadsWeightsAndEveryToken() {
        StepBytes bytes = StepBytes.full(decoding(8), 124_928);
        assertThat(bytes.device().get(OperationKind.LINEARS)).isCloseTo(15.0e9, within(0.1e9));
        assertThat(bytes.device().get(OperationKind.ATTENTION)).isEqualTo(8 * 124_928.0 * 131_072);
        assertThat(bytes.link()).isZero();
        assertThat(8 / bytes.floorSeconds(H200)).isBetween(230.0, 262.0);
    }

    /// With 22 sequences: about 1.0 GB of landmarks and 54 MB over the link per sequence, at a hit
    /// rate of 60 %.
    @Test
    void shadowReadsLandmarksAndFetchesMisses() {
        double units = 124_928 / 8.0 - 4 - 48;
        double misses = 0.4 * 32 * 8 * 256 * 22;
        Index index = new Index(8, 160, units, 256, misses, 256, 1);
        StepBytes bytes = StepBytes.shadow(decoding(22), 48 * 8 + 2048 + 100, index);
        assertThat(bytes.device().get(OperationKind.SCORE) / 22).isBetween(1.0e9, 1.05e9);
        assertThat(bytes.link() / 22).isCloseTo(54e6, within(1e6));
        assertThat(bytes.device().get(OperationKind.FETCH)).isEqualTo(bytes.link());
        assertThat(bytes.device().get(OperationKind.ATTENTION) / 22).isCloseTo(0.33e9, within(0.01e9));
        // The link takes longer than the memory here, and works at the same time.
        assertThat(bytes.floorSeconds(H200)).isEqualTo(bytes.link() / 55e9);
    }

    @Test
    void valuesOnTheDeviceDoNotPassTheLink() {
        Index index = new Index(8, 160, 1000, 256, 100, 128, 0.25);
        StepBytes bytes = StepBytes.shadow(decoding(1), 2500, index);
        double stored = 100 * 8 * 128.0;
        assertThat(bytes.link()).isEqualTo(stored / 4);
        assertThat(bytes.device().get(OperationKind.FETCH)).isEqualTo(100 * 8 * 256.0 + stored * 3 / 4);
        assertThat(bytes.deviceTotal())
                .isEqualTo(bytes.device().values().stream()
                        .mapToDouble(Double::doubleValue)
                        .sum());
    }
}
