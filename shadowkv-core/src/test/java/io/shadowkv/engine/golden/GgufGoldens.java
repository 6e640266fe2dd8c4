package io.shadowkv.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A quantised GGUF file that llama.cpp wrote, against transformers with the decoded weights. llama.cpp's own
/// greedy tokens are the same 32. The same body for every backend.
public abstract class GgufGoldens {
    private static final String NAME = "tiny-llama32-Q4_K_M";

    /// The backend under test; closed by the test.
    protected abstract Backend open();

    @Test
    void agreesInFloat() {
        Path folder = Fixtures.golden("weights").resolve("weights").resolve(NAME);
        try (Arena arena = Arena.ofConfined();
                Backend backend = open();
                Engine engine = Engine.open(
                        folder.resolve(NAME + ".gguf"), backend, EngineOptions.DEFAULT.withKvType(DType.F32))) {
            Safetensors expected = Safetensors.open(folder.resolve("golden/expected.safetensors"), arena);
            for (String input : List.of("n17", "n300")) {
                GoldenModel.checkInput(engine, expected, input, 1e-3, true, 0);
            }
            assertThat(engine.spec().tiedEmbeddings()).isTrue();
            assertThat(engine.weightType()).isEqualTo(DType.BF16);
        }
    }
}
