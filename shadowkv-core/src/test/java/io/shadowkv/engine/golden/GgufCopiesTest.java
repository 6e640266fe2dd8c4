package io.shadowkv.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.Fixtures;
import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.GgufCopies;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.RopeScaling;
import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.text.gguf.GgufWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A golden model written as a GGUF file computes the same: biases, untied and tied heads, permuted rows,
/// frequencies with divisors.
class GgufCopiesTest {
    private static final int[] IDS = {5, 17, 42, 7, 99, 3, 150, 11};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama3-f32", "tiny-llama31-bf16", "tiny-qwen2-f32", "tiny-qwen2-tied-bf16"})
    void computesTheSame(String model) {
        Path original = Fixtures.golden("models").resolve("models").resolve(model);
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Backend backend = new ReferenceBackend();
                Engine expected = Engine.open(original, backend, options)) {
            RopeSpec rope = expected.spec().rope();
            GgufWriter writer = GgufCopies.of(original);
            if (rope.scaling() instanceof RopeScaling.Llama3) {
                RopeSpec plain = new RopeSpec(rope.theta(), rope.rotaryDim(), false, new RopeScaling.None());
                GgufCopies.withDivisors(writer, plain.frequencies(false), rope.frequencies(false));
            }
            Path file = writer.write(folder.resolve("model.gguf"));
            try (Engine found = Engine.open(file, backend, options)) {
                assertThat(found.spec().rope().interleaved()).isEqualTo(model.contains("llama"));
                assertThat(found.spec().tiedEmbeddings())
                        .isEqualTo(expected.spec().tiedEmbeddings());
                float[][] rows = rows(found);
                float[][] wanted = rows(expected);
                for (int i = 0; i < rows.length; i++) {
                    assertThat(rows[i]).as("row %d", i).containsExactly(wanted[i], within(2e-4f));
                }
            }
        }
    }

    /// What transformers computed of a family's model holds for the model as a GGUF file: multipliers and
    /// permuted rows, fused matrices and longrope, stacked experts next to a plain layer, norms of heads. The
    /// longer input passes the original context, so that both sets of longrope's factors are used.
    @ParameterizedTest
    @ValueSource(strings = {"tiny-granite", "tiny-phi4mini", "tiny-qwen3-moe", "tiny-qwen3"})
    void agreesWithTransformers(String model) {
        Path original = FamilyModels.write(model, DType.F32, folder.resolve(model));
        Path file = GgufCopies.of(original).write(folder.resolve("model.gguf"));
        new GoldenModel(file, FamilyModels.archived(model).resolve("golden"))
                .check(new ReferenceBackend(), DType.F32, List.of("n17", "n150"));
    }

    /// A tensor that would be left out changes the model.
    @ParameterizedTest
    @ValueSource(strings = {"blk.0.ffn_up.bias", "blk.0.attn_q_norm.weight", "blk.99.attn_norm.weight"})
    void refusesTensorsThatTheModelDoesNotRead(String name) {
        Path original = Fixtures.golden("models").resolve("models").resolve("tiny-llama3-f32");
        Path file = GgufCopies.of(original).floats(name, new float[32], 32).write(folder.resolve("model.gguf"));
        try (Backend backend = new ReferenceBackend()) {
            assertThatThrownBy(() -> Engine.open(file, backend, EngineOptions.DEFAULT))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("such as [" + name + "]")
                    .hasMessageContaining("not part of the model that the file's metadata describes");
        }
    }

    private static float[][] rows(Engine engine) {
        List<float[]> rows = new ArrayList<>();
        engine.logits(IDS, IDS.length, true, 3, rows::add);
        return rows.toArray(float[][]::new);
    }
}
